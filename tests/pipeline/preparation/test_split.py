from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from collie_pipeline.preparation import Encoded, folds, write_hdf5
from collie_pipeline.sections import Split
from collie_pipeline.weeks import Week, weeks_between

WEEKS = weeks_between(Week.parse("2026-01-05"), Week.parse("2026-01-26"))
DAYS = [(week.start.timestamp() + day * 86_400) for week in WEEKS for day in range(7)]
Write = Callable[[list[float]], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write positives of four users at these seconds."""

    def of(seconds: list[float]) -> Path:
        count = len(seconds)
        encoded = Encoded(
            np.array(list("abcd")),
            np.array([f"{item:03d}" for item in range(count)]),
            (np.arange(count) % 4).astype(np.int32),
            np.arange(count, dtype=np.int32),
            np.array(seconds, dtype=np.int64) * 1_000_000,
        )
        write_hdf5(encoded, tmp_path / "positives.h5")
        return tmp_path / "positives.h5"

    return of


@pytest.mark.parametrize(
    ("days", "named"),
    [(DAYS[-2:], "train and validation would have 0 of the 2"), (DAYS[:7], "validation and test")],
)
def test_a_part_without_rows_is_named_with_the_way_out(
    write: Write, days: list[float], named: str
) -> None:
    with pytest.raises(ValueError, match=rf"{named}.*lower prepare\.min_rating"):
        folds(write(days), Split(), WEEKS)


def test_time_split_holds_back_whole_weeks(write: Write) -> None:
    assert folds(write(DAYS), Split(), WEEKS).tolist() == [0] * 14 + [1] * 7 + [2] * 7


def test_time_split_holds_back_as_many_weeks_as_are_set(write: Write) -> None:
    split = Split(validation_weeks=1, test_weeks=2)
    assert folds(write(DAYS), split, WEEKS).tolist() == [0] * 7 + [1] * 7 + [2] * 14


def test_short_window_is_split_by_shares(write: Write) -> None:
    split = Split(validation=0.25, test=0.25)
    found = folds(write(DAYS[:8]), split, WEEKS[:2])
    assert found.tolist() == [0] * 4 + [1] * 2 + [2] * 2


def test_one_time_for_all_is_refused_with_the_way_out(write: Write) -> None:
    with pytest.raises(ValueError, match=r"all 3 timestamps are .*split\.method = 'stratified'"):
        folds(write([5, 5, 5]), Split(), WEEKS)


def test_stratified_split_gives_every_user_every_part(write: Write) -> None:
    found = folds(write(DAYS), Split(method="stratified"), WEEKS, seed=1)
    for user in range(4):
        assert set(found[user::4]) == {0, 1, 2}


def test_random_split_has_the_shares_asked_for(write: Write) -> None:
    split = Split(method="random", validation=0.25, test=0.5)
    assert np.bincount(folds(write(DAYS), split, WEEKS)).tolist() == [7, 7, 14]


@pytest.mark.parametrize("method", ["stratified", "random"])
def test_same_seed_gives_the_same_split(write: Write, method: str) -> None:
    split = Split(method=method)  # type: ignore[arg-type]
    one, same, other = (folds(write(DAYS), split, WEEKS, seed) for seed in (3, 3, 4))
    np.testing.assert_array_equal(one, same)
    assert (one != other).any()
