import numpy as np
import pandas as pd
import pytest

from collie_core.interactions.ids import (
    at_least,
    checked_count,
    checked_ids,
    checked_ratings,
    checked_seed,
    refuse_missing_ids,
)


@pytest.mark.parametrize(
    "values",
    [
        [0, 2, 1],
        (0, 2, 1),
        range(3),
        np.array([0.0, 1.0, 2.0]),
        np.array([0, 1], dtype=np.uint64),
        pd.Series([0, 1], dtype="Int64"),
        (value for value in [3, 4]),
        np.array([2**31 - 1]),
    ],
)
def test_whole_numbers_of_any_container_become_int32(values: object) -> None:
    assert checked_ids("user_id", values).dtype == np.int32


def test_ids_are_a_copy() -> None:
    given = np.array([0, 1], dtype=np.int32)
    checked_ids("user_id", given)[0] = 7
    assert given[0] == 0


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([0] * 17 + [4294967296], "user_id 4294967296 at row 17 does not fit int32: map ids"),
        ([0, 2**64], "user_id .* at row 1 does not fit int32"),
        ([0, 10**400], "does not fit int32"),
        ([0, -1], "user_id -1 at row 1 is negative: map ids to 0..n-1 first"),
        ([0, 1.5], "user_id 1.5 at row 1 is not a whole number: map ids"),
        ([0.0, np.nan], "user_id nan at row 1 is missing"),
        (pd.Series([1, None], dtype="Int64"), "user_id nan at row 1 is missing"),
        ([0.0, np.inf], "user_id inf at row 1 is missing or infinite"),
        ([[0], [1]], r"shape \(2, 1\), must be one-dimensional"),
    ],
)
def test_bad_ids_are_refused_with_value_and_row(values: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        checked_ids("user_id", values)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (["a", "b"], "user_id 'a' at row 0 is not a number: map ids"),
        ([0, None], "user_id None at row 1 is not a number"),
        ([True, False], "user_id True at row 0 is not a number"),
        (5, "5 is not a sequence"),
    ],
)
def test_what_is_not_a_number_is_refused(values: object, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        checked_ids("user_id", values)


def test_missing_ids_are_counted_and_the_first_are_named() -> None:
    with pytest.raises(ValueError, match=r"999998 of the user_ids 0..999999 .* \[0, 2, 3, 4, 5\]"):
        refuse_missing_ids("user_id", np.array([1, 999_999], dtype=np.int32))


def test_ids_without_a_hole_pass() -> None:
    refuse_missing_ids("user_id", np.array([2, 0, 1, 0], dtype=np.int32))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_ratings_that_are_not_finite_are_refused_with_row_and_pair(value: float) -> None:
    users, items = np.array([4, 5], dtype=np.int32), np.array([6, 7], dtype=np.int32)
    with pytest.raises(ValueError, match=r"at row 1 \(user 5, item 7\) .* drop these rows"):
        checked_ratings([1.0, value], users, items)


def test_ratings_must_be_one_a_row() -> None:
    pair = np.array([0, 1], dtype=np.int32)
    with pytest.raises(ValueError, match=r"shape \(3,\), must have \(2,\)"):
        checked_ratings([1, 2, 3], pair, pair)


def test_ratings_must_be_numbers() -> None:
    pair = np.array([0], dtype=np.int32)
    with pytest.raises(TypeError, match="must be numbers"):
        checked_ratings(["good"], pair, pair)


def test_ratings_keep_their_dtype() -> None:
    pair = np.array([0], dtype=np.int32)
    assert checked_ratings(np.array([3], dtype=np.int8), pair, pair).dtype == np.int8


def test_no_ratings_are_float32_ones() -> None:
    pair = np.array([0, 1], dtype=np.int32)
    ratings = checked_ratings(None, pair, pair)
    assert (ratings.tolist(), str(ratings.dtype)) == ([1, 1], "float32")


@pytest.mark.parametrize(("count", "expected"), [("infer", 9), (7, 7), (np.int64(12), 12)])
def test_count_is_inferred_or_as_given(count: object, expected: int) -> None:
    assert checked_count("num_users", count, 7, 9) == expected  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("count", "error", "message"),
    [
        (6, ValueError, "num_users is 6, but the largest id is 6: pass at least 7"),
        ("guess", ValueError, "must be a number or 'infer'"),
        (7.0, TypeError, "must be a whole number"),
        (True, TypeError, "must be a whole number"),
    ],
)
def test_bad_counts_are_refused(count: object, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        checked_count("num_users", count, 7, 9)  # type: ignore[arg-type]


def test_numbers_below_the_least_are_refused() -> None:
    with pytest.raises(ValueError, match="batch_size is 0, must be at least 1"):
        at_least("batch_size", 0, 1)


def test_seeds_from_entropy_differ() -> None:
    assert checked_seed(None) != checked_seed(None)


def test_negative_seed_is_refused() -> None:
    with pytest.raises(ValueError, match="seed is -1"):
        checked_seed(-1)
