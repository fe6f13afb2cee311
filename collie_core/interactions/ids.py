"""The one checked entry for ids, counts, ratings and seeds: refused here or good everywhere."""

from collections.abc import Iterable
from numbers import Real
from operator import index
from typing import Any, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

Ids = NDArray[np.int32]
Whole = TypeVar("Whole", bound=np.integer[Any])
Count = int | np.integer[Any] | Literal["infer"]

INT32_MAX = int(np.iinfo(np.int32).max)
WAY_OUT = "map ids to 0..n-1 first"
NAMED = 5  # how many culprits a message names


def checked_ids(name: str, values: object) -> Ids:
    """Return a copy of `values` as ids (B,), each a whole number in 0..2**31-1.

    Parameters
    ----------
    name : what the message calls one value, such as "user_id".
    values : an array, series, tensor, list or other iterable of numbers.

    Raises
    ------
    ValueError
        If a value is missing, infinite, fractional, negative or too large, or if `values` is not
        one-dimensional; the message names the value and its row.
    TypeError
        If a value is not a number.
    """
    column = _numbers(name, values)
    if column.dtype.kind == "f":
        _refuse_first(name, column, ~np.isfinite(column), "is missing or infinite")
        _refuse_first(name, column, column != np.floor(column), "is not a whole number")
    _refuse_first(name, column, column < 0, "is negative")
    _refuse_first(name, column, column > INT32_MAX, "does not fit int32")
    return column.astype(np.int32)


def checked_ratings(ratings: object, users: Ids, items: Ids) -> NDArray[Any]:
    """Return a copy of `ratings` (B,) in their own dtype; float32 ones if they are None.

    Raises
    ------
    ValueError
        If there is not one rating a row, or one is NaN or infinite.
    TypeError
        If they are not numbers.
    """
    if ratings is None:
        return np.ones(len(users), dtype=np.float32)
    column = np.array(ratings if hasattr(ratings, "__len__") else list(_iterable(ratings)))
    if column.dtype.kind not in "biuf":
        raise TypeError(f"ratings are {column.dtype}, must be numbers: convert them first")
    if column.shape != users.shape:
        raise ValueError(f"ratings have shape {column.shape}, must have {users.shape}: one a row")
    if (bad := np.flatnonzero(~np.isfinite(column))).size:
        row = bad[0]
        raise ValueError(
            f"rating {column[row]} at row {row} (user {users[row]}, item {items[row]}) is not "
            f"finite, and so are {bad.size - 1} more: drop these rows or fill them in"
        )
    return column


def refuse_missing_ids(name: str, ids: Ids) -> None:
    """Refuse ids that leave a hole in 0..max.

    Raises
    ------
    ValueError
        Naming how many ids are missing, and the first of them.
    """
    present = distinct(ids)
    missing = int(present[-1]) + 1 - present.size
    if missing:
        first = _first_missing(present)
        raise ValueError(
            f"{missing} of the {name}s 0..{present[-1]} never appear (the first are {first}): "
            f"{WAY_OUT}, or pass allow_missing_ids=True"
        )


def distinct(values: NDArray[Whole]) -> NDArray[Whole]:
    """Return the different ones of `values` (B,), in order.

    By sorting: `numpy.unique` hashes, which takes five times as long from 10^6 values on.
    """
    ordered = np.sort(values)
    is_new = np.ones(ordered.size, dtype=np.bool_)
    np.not_equal(ordered[1:], ordered[:-1], out=is_new[1:])
    return ordered if is_new.all() else ordered[is_new]


def checked_count(name: str, count: Count, needed: int, inferred: int) -> int:
    """Return `count`, or `inferred` for "infer", when it is at least `needed`.

    Raises
    ------
    ValueError
        If it is smaller, or another string than "infer".
    TypeError
        If it is not a whole number.
    """
    if isinstance(count, str):
        if count != "infer":
            raise ValueError(f"{name} is {count!r}, must be a number or 'infer'")
        return inferred
    number = whole_number(name, count)
    if number < needed:
        raise ValueError(
            f"{name} is {number}, but the largest id is {needed - 1}: pass at least {needed}, "
            "or 'infer'"
        )
    return number


def at_least(name: str, value: object, least: int) -> int:
    """Return `value` as an int that is at least `least`.

    Raises
    ------
    ValueError
        If it is smaller.
    TypeError
        If it is not a whole number.
    """
    number = whole_number(name, value)
    if number < least:
        raise ValueError(f"{name} is {number}, must be at least {least}")
    return number


def whole_number(name: str, value: Any) -> int:
    """Return `value` as an int; booleans and floats are refused with a TypeError."""
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise TypeError(f"{name} is {value!r}, must be a whole number")
    return index(value)


def checked_seed(seed: int | None) -> int:
    """Return `seed`, or one drawn from the operating system's entropy if it is None."""
    if seed is None:
        return index(np.random.SeedSequence().entropy)  # type: ignore[arg-type]
    return at_least("seed", seed, 0)


def _iterable(values: object) -> Iterable[Any]:
    if not isinstance(values, Iterable):
        raise TypeError(f"{values!r} is not a sequence: pass an array, a series or a list")
    return values


def _numbers(name: str, values: object) -> NDArray[Any]:
    array = np.asarray(values if hasattr(values, "__len__") else list(_iterable(values)))
    if array.ndim != 1:
        raise ValueError(f"{name}s have shape {array.shape}, must be one-dimensional")
    if array.dtype.kind in "iuf":
        return array
    for row, value in enumerate(array.tolist()):
        if isinstance(value, bool) or not isinstance(value, Real):
            raise TypeError(f"{name} {value!r} at row {row} is not a number: {WAY_OUT}")
    try:
        return array.astype(np.float64)
    except OverflowError as error:
        raise ValueError(f"a {name} does not fit int32, not even float64: {WAY_OUT}") from error


def _refuse_first(name: str, column: NDArray[Any], bad: NDArray[np.bool_], rule: str) -> None:
    if bad.any():
        row = int(bad.argmax())
        raise ValueError(f"{name} {column[row]} at row {row} {rule}: {WAY_OUT}")


def _first_missing(present: Ids) -> list[int]:
    """Return the first ids that sorted, distinct `present` skips, without a table up to max."""
    missing: list[int] = []
    before = np.concatenate(([-1], present[:-1]))
    for gap in np.flatnonzero(present - before > 1)[:NAMED]:
        missing.extend(range(before[gap] + 1, min(present[gap], before[gap] + 1 + NAMED)))
    return missing[:NAMED]
