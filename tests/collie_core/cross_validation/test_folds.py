from math import ceil
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from collie_core.cross_validation import random_folds, stratified_folds, time_folds

shares = st.sampled_from([0.0, 0.05, 0.1, 0.2, 0.3, 0.45])
some_share = st.sampled_from([0.05, 0.1, 0.2, 0.3, 0.45])
many_users = st.lists(st.integers(0, 7), min_size=1, max_size=60).map(np.array)
many_times = st.lists(st.integers(0, 12), min_size=1, max_size=40)


def sizes(folds: NDArray[np.int8]) -> list[int]:
    return [int((folds == fold).sum()) for fold in range(3)]


@given(st.integers(0, 300), shares, shares)
def test_random_sizes_are_exact(n: int, val_p: float, test_p: float) -> None:
    folds = random_folds(n, val_p, test_p, seed=0)
    test, validation = round(test_p * n), round(val_p * n)
    assert sizes(folds) == [n - test - validation, validation, test]
    assert folds.dtype == np.int8


def test_random_split_of_the_reference_has_its_sizes() -> None:
    assert sizes(random_folds(100_000, 0.0, 0.2, seed=None)) == [80_000, 0, 20_000]


def test_every_row_is_as_likely_to_be_tested() -> None:
    tested = sum((random_folds(10, 0.2, 0.3, seed) == 2).astype(int) for seed in range(2_000))
    assert np.all(np.abs(tested - 600) < 4 * np.sqrt(2_000 * 0.3 * 0.7))


def naive_counts(n: int, val_p: float, test_p: float) -> list[int]:
    """Return how many of a user's rows go to train, validation and test, one part at a time."""
    test = min(ceil(round(test_p * n, 6)), n - 1 - (val_p > 0)) if test_p else 0
    validation = min(ceil(round(val_p * n, 6)), n - 1 - test) if val_p else 0
    return [n - test - validation, validation, test]


@given(many_users, shares, shares)
def test_stratified_counts_of_each_user_are_those_of_a_loop(
    users: NDArray[np.int64], val_p: float, test_p: float
) -> None:
    folds = stratified_folds(users, val_p, test_p, seed=0, force_split=True)
    for user in np.unique(users):
        n = int((users == user).sum())
        is_short = n < 1 + (val_p > 0) + (test_p > 0)
        expected = [n, 0, 0] if is_short else naive_counts(n, val_p, test_p)
        assert sizes(folds[users == user]) == expected


@given(many_users, some_share, some_share)
def test_each_user_with_three_rows_is_in_each_part(
    users: NDArray[np.int64], val_p: float, test_p: float
) -> None:
    users = np.repeat(users, 3)
    folds = stratified_folds(users, val_p, test_p, seed=1)
    for fold in range(3):
        assert set(users[folds == fold]) == set(users)


def test_share_that_floats_overshoot_is_not_rounded_up() -> None:
    assert 0.07 * 100 > 7
    assert sizes(stratified_folds(np.zeros(100, int), 0.0, 0.07, seed=0)) == [93, 0, 7]


def test_each_row_of_a_user_is_as_likely_to_be_tested() -> None:
    users = np.repeat([4, 9], [5, 3])
    tested = sum(
        (stratified_folds(users, 0.0, 0.2, seed) == 2).astype(int) for seed in range(2_000)
    )
    expected = np.repeat([400, 2_000 / 3], [5, 3])
    assert np.all(np.abs(tested - expected) < 4 * np.sqrt(expected))


@pytest.mark.parametrize(
    ("users", "val_p", "message"),
    [
        ([0, 0, 5], 0.0, r"1 users have fewer than 2 .* \{5: 1\}"),
        ([0, 0, 5, 5, 5], 0.1, r"1 users have fewer than 3 .* \{0: 2\}"),
        (range(50), 0.0, r"50 users .* \{0: 1, 1: 1, 2: 1, 3: 1, 4: 1\}\): remove .* force_split"),
    ],
)
def test_users_with_too_few_rows_are_named(users: Any, val_p: float, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        stratified_folds(np.array(users), val_p, 0.1, seed=0)


def test_forced_split_puts_short_users_into_train() -> None:
    folds = stratified_folds(np.array([0, 0, 0, 5, 5]), 0.2, 0.2, seed=0, force_split=True)
    assert folds[3:].tolist() == [0, 0]


@pytest.mark.parametrize(
    "split",
    [
        lambda seed: random_folds(200, 0.1, 0.1, seed),
        lambda seed: stratified_folds(np.arange(200) % 9, 0.1, 0.1, seed),
    ],
)
def test_same_seed_same_folds_and_another_seed_others(split: Any) -> None:
    assert split(3).tolist() == split(3).tolist()
    assert split(3).tolist() != split(4).tolist()


def naive_start(times: list[int], size: int) -> int:
    """Return how many of the sorted `times` come before the last `size` and their equals."""
    if size == 0:
        return len(times)
    bound = sorted(times)[-size] if size <= len(times) else min(times, default=0)
    return sum(time < bound for time in times)


@given(many_times, shares, shares)
def test_time_folds_are_those_of_a_loop(times: list[int], val_p: float, test_p: float) -> None:
    n = len(times)
    test_start = naive_start(times, round(test_p * n))
    before = sorted(times)[:test_start]
    validation_start = naive_start(before, round(val_p * n))
    folds = time_folds(times, val_p, test_p)
    assert sizes(folds) == [validation_start, test_start - validation_start, n - test_start]


@given(many_times, shares, shares)
def test_parts_follow_one_another_and_no_time_is_parted(
    times: list[int], val_p: float, test_p: float
) -> None:
    folds = time_folds(times, val_p, test_p)
    for earlier, later in ((0, 1), (0, 2), (1, 2)):
        before, after = np.array(times)[folds == earlier], np.array(times)[folds == later]
        assert not before.size or not after.size or before.max() < after.min()


@pytest.mark.parametrize(
    "times",
    [
        pd.Series(pd.to_datetime([1, 2, 3, 4], unit="D")),
        pd.Series(pd.to_datetime([1, 2, 3, 4], unit="D", utc=True).tz_convert("Asia/Tokyo")),
        np.array([1, 2, 3, 4], dtype="datetime64[D]"),
        [1.0, 2.0, 3.0, 4.0],
        np.array([1, 2, 3, 4], dtype=np.int64),
    ],
)
def test_times_of_any_kind_are_split_alike(times: Any) -> None:
    assert time_folds(times, 0.25, 0.25).tolist() == [0, 0, 1, 2]


@pytest.mark.parametrize(
    ("bounds", "expected"),
    [
        ({"test_from": 3}, [0, 0, 0, 2, 2]),
        ({"validation_from": 1, "test_from": 3}, [0, 1, 1, 2, 2]),
        ({"validation_from": 1}, [0, 1, 1, 1, 2]),
        ({"test_from": 99}, [0, 0, 0, 0, 0]),
        ({"test_from": 3.5}, [0, 0, 0, 0, 2]),
    ],
)
def test_bounds_take_the_place_of_shares(bounds: Any, expected: list[int]) -> None:
    assert time_folds([0, 1, 2, 3, 4], 0.0, 0.2, **bounds).tolist() == expected


@pytest.mark.parametrize("zone", [None, "UTC", "Asia/Tokyo"])
@pytest.mark.parametrize("zone_of_times", ["UTC", "America/New_York"])
def test_bound_of_datetimes_is_an_instant(zone: str | None, zone_of_times: str) -> None:
    times = pd.Series(pd.to_datetime(["2024-01-01", "2024-01-02"], utc=True))
    times = times.dt.tz_convert(zone_of_times)
    bound = pd.Timestamp("2024-01-02", tz="UTC")
    bound = bound.tz_localize(None) if zone is None else bound.tz_convert(zone)
    assert time_folds(times, 0.0, 0.2, test_from=bound).tolist() == [0, 2]


def test_validation_after_the_test_is_refused() -> None:
    with pytest.raises(ValueError, match="validation_from is 4, must be before the test"):
        time_folds([0, 1, 2, 3, 4], 0.0, 0.2, validation_from=4, test_from=2)


@pytest.mark.parametrize("missing", [[0.0, np.nan], pd.to_datetime(["2024-01-01", "NaT"])])
def test_missing_time_is_refused_with_its_row(missing: Any) -> None:
    with pytest.raises(ValueError, match="timestamp at row 1 is missing: drop"):
        time_folds(missing, 0.0, 0.5)


def test_times_as_text_are_refused() -> None:
    with pytest.raises(TypeError, match=r"must be numbers or datetimes: use pandas\.to_datetime"):
        time_folds(["2024-01-01"], 0.0, 0.5)


@pytest.mark.parametrize(
    ("times", "bound"),
    [([0, 1], pd.Timestamp("2024-01-01")), (pd.to_datetime(["2024-01-01", "2024-01-02"]), 3)],
)
def test_bound_of_the_other_kind_is_refused(times: Any, bound: Any) -> None:
    with pytest.raises(TypeError, match="cannot be compared"):
        time_folds(times, 0.0, 0.5, test_from=bound)


@pytest.mark.parametrize(
    "split",
    [
        lambda val_p, test_p: random_folds(9, val_p, test_p, 0),
        lambda val_p, test_p: stratified_folds(np.zeros(9, int), val_p, test_p, 0),
        lambda val_p, test_p: time_folds(range(9), val_p, test_p),
    ],
    ids=["random", "stratified", "time"],
)
@pytest.mark.parametrize(
    ("val_p", "test_p", "message"),
    [
        (-0.1, 0.2, "val_p is -0.1, must be in 0..1"),
        (0.1, float("nan"), "test_p is nan, must be in 0..1"),
        (0.5, 0.5, r"0.5 \+ 0.5, must be below 1: leave rows to train on"),
        (0.0, 1.0, "must be below 1"),
    ],
)
def test_bad_shares_are_refused(split: Any, val_p: float, test_p: float, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        split(val_p, test_p)
