"""Which part each row goes to: 0 train, 1 validation, 2 test, as plain functions of arrays."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from collie_core.cross_validation.instants import Bound, bound_like, instants
from collie_core.interactions.ids import NAMED, distinct

TRAIN, VALIDATION, TEST = 0, 1, 2
Folds = NDArray[np.int8]


def random_folds(n: int, val_p: float, test_p: float, seed: int | None) -> Folds:
    """Return a fold (B,) int8 for each of `n` rows, drawn at random in exact sizes.

    Parameters
    ----------
    n : number of rows, B.
    val_p, test_p : the shares of validation and test, together below 1; sizes are rounded.
    seed : None draws one from the system's entropy.

    Raises
    ------
    ValueError
        If a share is negative or NaN, or both leave nothing to train on.
    """
    check_proportions(val_p, test_p)
    order = np.random.default_rng(seed).permutation(n)
    num_test, num_validation = round(test_p * n), round(val_p * n)
    folds = np.zeros(n, dtype=np.int8)
    folds[order[:num_test]] = TEST
    folds[order[num_test : num_test + num_validation]] = VALIDATION
    return folds


def stratified_folds(
    users: NDArray[np.integer[Any]],
    val_p: float,
    test_p: float,
    seed: int | None,
    force_split: bool = False,
) -> Folds:
    """Return a fold (B,) int8 for each row, so that each user is in every part.

    Of a user's n rows, the ceiling of test_p · n is for test and that of val_p · n for validation,
    but never so many that nothing is left for the others.

    Parameters
    ----------
    users : (B,) the user of each row.
    val_p, test_p : see `random_folds`.
    seed : None draws one from the system's entropy.
    force_split : whether users with fewer rows than there are parts go to train as a whole.

    Raises
    ------
    ValueError
        If a share is refused, or a user has too few rows and `force_split` is False; the message
        names the first of them.
    """
    check_proportions(val_p, test_p)
    present = distinct(users)
    owners = users if present.size == users.max(initial=-1) + 1 else np.searchsorted(present, users)
    counts = np.bincount(owners)
    num_parts = 1 + (val_p > 0) + (test_p > 0)
    is_short = counts < num_parts
    if is_short.any() and not force_split:
        _refuse_short(present[is_short], counts[is_short], num_parts)
    num_test = _ceiling(test_p, counts, counts - 1 - (val_p > 0))
    num_validation = _ceiling(val_p, counts, counts - 1 - num_test)
    num_test[is_short] = num_validation[is_short] = 0
    keys, ordered = _random_keys(owners, np.random.default_rng(seed))
    starts, folds = np.cumsum(counts) - counts, np.zeros(len(users), dtype=np.int8)
    for fold, size in ((VALIDATION, num_test + num_validation), (TEST, num_test)):
        # the last of a user's keys is always above the bound, for training keeps a row
        folds[keys < ordered[starts + size][owners]] = fold
    return folds


def time_folds(
    timestamps: Any,
    val_p: float,
    test_p: float,
    *,
    validation_from: Bound | None = None,
    test_from: Bound | None = None,
) -> Folds:
    """Return a fold (B,) int8 for each row: the latest for test, then for validation.

    Rows of one time are never parted: the later part takes them all, so it may be larger than
    asked for.

    Parameters
    ----------
    timestamps : (B,) numbers or datetimes; those with a time zone are compared in UTC.
    val_p, test_p : see `random_folds`.
    validation_from, test_from : the first time of a part, in place of its share.

    Raises
    ------
    ValueError
        If a share is refused, a time is missing, or validation does not begin before the test.
    TypeError
        If `timestamps` are neither numbers nor datetimes, or a bound is of the other kind.
    """
    check_proportions(val_p, test_p)
    times = instants(timestamps)
    ordered, rows = np.sort(times), len(times)
    test_start = _start(ordered, rows, round(test_p * rows), bound_like(times, test_from))
    val_bound = bound_like(times, validation_from)
    val_start = _start(ordered, test_start, round(val_p * rows), val_bound)
    if val_start > test_start:
        raise ValueError(f"validation_from is {validation_from}, must be before the test begins")
    folds = np.zeros(rows, dtype=np.int8)
    for start, fold in ((val_start, VALIDATION), (test_start, TEST)):
        if start < rows:
            folds[times >= ordered[start]] = fold
    return folds


def check_proportions(val_p: float, test_p: float) -> None:
    """Refuse shares that are negative or NaN, or leave nothing to train on.

    Raises
    ------
    ValueError
        With the share, the rule and the way out.
    """
    for name, share in (("val_p", val_p), ("test_p", test_p)):
        if not share >= 0:
            raise ValueError(f"{name} is {share}, must be in 0..1: a share such as 0.1")
    if not val_p + test_p < 1:
        raise ValueError(
            f"val_p + test_p is {val_p} + {test_p}, must be below 1: leave rows to train on"
        )


def _ceiling(share: float, counts: NDArray[np.intp], most: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return how many of `counts` a share asks for, at least 1 unless it is 0, at most `most`."""
    if share == 0:
        return np.zeros_like(counts)
    asked = np.ceil(share * counts - 1e-9).astype(np.intp)  # .07 · 100 is a little above 7
    clipped: NDArray[np.intp] = np.clip(asked, 1, np.maximum(most, 1))
    return clipped


def _random_keys(
    owners: NDArray[np.integer[Any]], rng: np.random.Generator
) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """Return a key (B,) of each row, all different, and the keys sorted.

    A key is the owner, and random bits below: a user's rows are in random order by their keys. To
    sort keys takes a tenth of the time of sorting rows by them.
    """
    owner_bits = int(owners.max(initial=0)).bit_length()
    high = owners.astype(np.uint64) << np.uint64(64 - owner_bits)
    while True:
        keys = high | (rng.bit_generator.random_raw(len(owners)) >> np.uint64(owner_bits))
        ordered = np.sort(keys)
        if (ordered[1:] != ordered[:-1]).all():
            return keys, ordered


def _refuse_short(
    users: NDArray[np.integer[Any]], counts: NDArray[np.intp], num_parts: int
) -> None:
    first = dict(zip(users[:NAMED].tolist(), counts[:NAMED].tolist(), strict=True))
    raise ValueError(
        f"{len(users)} users have fewer than {num_parts} interactions, one for each part (the "
        f"first, with how many: {first}): remove them with "
        "remove_users_with_fewer_than_n_interactions, or pass force_split=True"
    )


def _start(ordered: NDArray[Any], end: int, size: int, bound: Any) -> int:
    """Return where the part that ends at `end` starts: at `bound`, or at least `size` before."""
    if bound is None and not size:
        return end
    first = ordered[max(end - size, 0)] if bound is None and end else bound
    return int(np.searchsorted(ordered, first, side="left")) if first is not None else 0
