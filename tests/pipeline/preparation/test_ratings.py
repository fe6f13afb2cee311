from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd
import pytest

from collie_core.cross_validation import split_hdf5
from collie_pipeline.checking import in_order, separate
from collie_pipeline.preparation import (
    folds,
    implicit,
    rating_folds,
    ratings,
    read_ids,
    write_hdf5,
    write_ratings,
)
from collie_pipeline.sections import Split
from collie_pipeline.weeks import Week, weeks_between

WEEKS = weeks_between(Week.parse("2026-01-05"), Week.parse("2026-03-02"))


def window(seed: int = 0, rated: float = 1.0) -> pd.DataFrame:
    """Rows in which pairs come back, with other ratings, or with none."""
    rng = np.random.default_rng(seed)
    users, items = rng.integers(0, 30, 4_000), rng.integers(0, 40, 4_000)
    hours = pd.to_timedelta(rng.integers(0, 24 * 7 * len(WEEKS), 4_000), "h")
    stars = rng.integers(1, 6, 4_000).astype("float32")
    return pd.DataFrame(
        {
            "user_id": [f"u{user:02}" for user in users],
            "item_id": [f"i{item:02}" for item in items],
            "rating": np.where(rng.random(4_000) < rated, stars, np.nan),
            "timestamp": pd.Timestamp("2026-01-05", tz="UTC") + hours,
        }
    )


def write(folder: Path, rows: pd.DataFrame, split: Split, weeks: Any) -> tuple[Path, list[Path]]:
    """Write the ratings of a window, and the parts of its positives."""
    positives = folder / "positives.h5"
    write_hdf5(implicit(rows), positives)
    parts = [folder / f"{name}.h5" for name in ("train", "validation", "test")]
    split_hdf5(positives, dict(enumerate(parts)), folds(positives, split, weeks, 0))
    write_ratings(ratings(rows, positives), positives, folder / "ratings.h5")
    return folder / "ratings.h5", parts


def columns(path: Path) -> pd.DataFrame:
    with h5py.File(path) as file:
        return pd.DataFrame({name: each[:] for name, each in file["interactions"].items()})


@pytest.mark.parametrize("method", ["time", "stratified", "random"])
@pytest.mark.parametrize("rated", [1.0, 0.6])
@pytest.mark.parametrize("weeks", [WEEKS, WEEKS[:1]])
def test_what_is_to_be_found_is_never_learned(
    tmp_path: Path, method: Any, rated: float, weeks: Any
) -> None:
    split = Split(method=method)
    path, parts = write(tmp_path, window(rated=rated), split, weeks)
    staged = [tmp_path / f"{number}.h5" for number in range(3)]
    split_hdf5(path, dict(enumerate(staged)), rating_folds(path, parts, split))
    assert separate(*staged).passed
    assert separate(staged[0], staged[1], parts[2]).passed
    if method == "time":
        assert in_order(*staged).passed
        newest = columns(staged[1])["timestamp"].max()
        assert newest < columns(parts[2])["timestamp"].min()
    else:
        tested = set(zip(*columns(parts[2])[["user_id", "item_id"]].to_numpy().T, strict=True))
        rated_pairs = columns(staged[2])[["user_id", "item_id"]].to_numpy().tolist()
        assert tested & set(map(tuple, rated_pairs))


def test_the_latest_rating_of_a_pair_stays_low_or_high(tmp_path: Path) -> None:
    rows = window()
    path, _ = write(tmp_path, rows, Split(), WEEKS)
    table = columns(path)
    user_ids, item_ids = read_ids(path)
    latest = rows.sort_values(["timestamp", "user_id", "item_id"], kind="stable")
    expected = latest.groupby(["user_id", "item_id"])["rating"].last()
    stars = pd.Series(
        table["rating"].to_numpy(),
        pd.MultiIndex.from_arrays([user_ids[table["user_id"]], item_ids[table["item_id"]]]),
    )
    assert stars.sort_index().tolist() == expected.loc[stars.sort_index().index].tolist()
    assert set(stars) == {1, 2, 3, 4, 5}
    assert table["timestamp"].is_monotonic_increasing


def test_users_and_items_that_models_do_not_know_are_left_out(tmp_path: Path) -> None:
    rows = window()
    stranger = rows.iloc[:3].assign(user_id="stranger", rating=1.0)
    positives = tmp_path / "positives.h5"
    write_hdf5(implicit(rows), positives)
    with_stranger = ratings(pd.concat([rows, stranger]), positives)
    assert with_stranger.equals(ratings(rows, positives))


def test_a_window_without_ratings_is_refused(tmp_path: Path) -> None:
    rows = window(rated=0.0)
    positives = tmp_path / "positives.h5"
    write_hdf5(implicit(rows), positives)
    with pytest.raises(ValueError, match="0 of 4000 clean rows have a rating"):
        ratings(rows, positives)
