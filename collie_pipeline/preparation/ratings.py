"""The ratings of a window, low ones too, for models that learn them; and how they are parted."""

from collections.abc import Sequence
from pathlib import Path

import h5py
import numpy as np
import numpy.typing as npt
import pandas as pd

from collie_core.utils import pandas_df_to_hdf5
from collie_pipeline.preparation.hdf5 import pairs_in, read_ids
from collie_pipeline.preparation.implicit import microseconds
from collie_pipeline.preparation.split import METHODS, Folds
from collie_pipeline.sections import Split


def ratings(window: pd.DataFrame, positives: Path) -> pd.DataFrame:
    """Return the rating, high or low, of each pair whose latest row in the window has one.

    That row is no older than the pair's positive, so that a split by time cannot put the rating
    of a pair that is to be found among those that are learned.

    Parameters
    ----------
    window : clean rows.
    positives : a file of `write_hdf5`, whose users and items are all that models know: the ratings
        of others are left out.

    Returns
    -------
    (B, 4) user_id and item_id int, rating, timestamp in microseconds; by timestamp, user and item.

    Raises
    ------
    ValueError
        If no row has a rating.
    """
    rows = window.sort_values(["timestamp", "user_id", "item_id"], kind="stable")
    latest = rows.drop_duplicates(["user_id", "item_id"], keep="last")
    latest = latest[latest["rating"].notna()]
    user_ids, item_ids = read_ids(positives)
    table = pd.DataFrame(
        {
            "user_id": pd.Index(user_ids.astype(object)).get_indexer(latest["user_id"]),
            "item_id": pd.Index(item_ids.astype(object)).get_indexer(latest["item_id"]),
            "rating": latest["rating"].to_numpy("float32"),
            "timestamp": microseconds(latest["timestamp"]),
        }
    )
    known = table[(table["user_id"] >= 0) & (table["item_id"] >= 0)]
    if known.empty:
        raise ValueError(
            f"0 of {len(window)} clean rows have a rating of a user and an item that models know, "
            "and are their latest, must be at least 1"
        )
    return known.sort_values(["timestamp", "user_id", "item_id"], ignore_index=True)


def write_ratings(table: pd.DataFrame, positives: Path, path: Path) -> None:
    """Write what `ratings` returned to `path`, with the counts and outside ids of `positives`."""
    user_ids, item_ids = read_ids(positives)
    pandas_df_to_hdf5(
        table,
        path,
        num_users=len(user_ids),
        num_items=len(item_ids),
        ids={"user_id": user_ids, "item_id": item_ids},
    )


def rating_folds(path: Path, parts: Sequence[Path], split: Split, seed: int = 0) -> Folds:
    """Return the fold (B,) of every rating, so that no model learns what another is to find.

    By time, a rating is of the part in whose times it lies. Otherwise that of a positive is of its
    positive's part, and the others are parted by the same method. Either way a pair of
    `prepared/test` is in no other part than the test.

    Parameters
    ----------
    path : a file of `write_ratings`.
    parts : HDF5 files of the positives in train, validation and test, of the same window.
    split, seed : see `folds`.
    """
    if split.method == "time":
        return _by_times(path, parts)
    pairs = pairs_in(path)
    found = np.full(len(pairs), -1, dtype=np.int8)
    for fold, part in enumerate(parts):
        found[np.isin(pairs, pairs_in(part))] = fold
    rest = found < 0
    if rest.any():
        users = {"user_id": (pairs >> 32)[rest]}
        found[rest] = METHODS[split.method](users, split, (), seed)
    return found


def _by_times(path: Path, parts: Sequence[Path]) -> Folds:
    """Return the fold of every rating by the first time in each part but the first."""
    begins = [_times(part).min() for part in parts[1:]]
    return np.searchsorted(begins, _times(path), side="right").astype(np.int8)


def _times(path: Path) -> npt.NDArray[np.int64]:
    with h5py.File(path, "r") as file:
        times: npt.NDArray[np.int64] = file["interactions/timestamp"][:]
    return times
