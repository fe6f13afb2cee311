"""Which part each positive of a window belongs to: 0 train, 1 validation, 2 test."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt

from collie_core.tables import lookup
from collie_pipeline.sections import Split
from collie_pipeline.weeks import Week

Folds = npt.NDArray[np.int8]
Columns = Mapping[str, Any]  # by name, of an HDF5 file or in memory
Method = Callable[[Columns, Split, Sequence[Week], int], Folds]


def folds(path: Path, split: Split, weeks: Sequence[Week], seed: int = 0) -> Folds:
    """Return the fold of every row of the HDF5 file at `path`, (B,): 0 train, 1 validation, 2 test.

    Parameters
    ----------
    path : a file of `write_hdf5`.
    split : the method and its sizes.
    weeks : the weeks of the window, oldest first; the last is the one a model is made for.
    seed : of what `stratified` and `random` draw.

    Raises
    ------
    ValueError
        If a time split has no times to go by, or a part gets nothing.
    """
    method = lookup("split.method", METHODS, split.method)
    with h5py.File(path, "r") as file:
        found = method(file["interactions"], split, weeks, seed)
    _refuse_empty(found, split.method, weeks)
    return found


def _refuse_empty(found: Folds, method: str, weeks: Sequence[Week]) -> None:
    counts = np.bincount(found, minlength=len(PARTS))
    if empty := [part for part, count in zip(PARTS, counts, strict=True) if not count]:
        raise ValueError(
            f"{' and '.join(empty)} would have 0 of the {len(found)} positives from "
            f"{weeks[0].key} to {weeks[-1].key}, must have 1, by split.method = {method!r}: "
            f"{WAYS_OUT[method]}"
        )


def _by_time(group: Columns, split: Split, weeks: Sequence[Week], seed: int) -> Folds:  # noqa: ARG001
    from collie_core.cross_validation import time_folds  # torch loads in the run

    timestamps = group["timestamp"][:]
    if len(timestamps) and timestamps[0] == timestamps[-1]:
        raise ValueError(
            f"all {len(timestamps)} timestamps are {timestamps[0]}, a time split needs later and "
            "earlier ones: set split.method = 'stratified'"
        )
    held = split.validation_weeks + split.test_weeks
    if len(weeks) <= held:  # too short a history for whole weeks: shares of what there is
        return time_folds(timestamps, split.validation, split.test)
    return time_folds(
        timestamps,
        split.validation,
        split.test,
        validation_from=_microseconds(weeks[-held]),
        test_from=_microseconds(weeks[-split.test_weeks]),
    )


def _stratified(group: Columns, split: Split, weeks: Sequence[Week], seed: int) -> Folds:  # noqa: ARG001
    from collie_core.cross_validation import stratified_folds

    users = group["user_id"][:]
    return stratified_folds(users, split.validation, split.test, seed, force_split=True)


def _random(group: Columns, split: Split, weeks: Sequence[Week], seed: int) -> Folds:  # noqa: ARG001
    from collie_core.cross_validation import random_folds

    return random_folds(len(group["user_id"]), split.validation, split.test, seed)


PARTS = ("train", "validation", "test")
WAYS_OUT: Mapping[str, str] = {
    "time": "widen window_weeks, lower prepare.min_rating, or set split.method = 'stratified'",
    **dict.fromkeys(
        ("stratified", "random"), "widen window_weeks, or raise split.validation and split.test"
    ),
}
METHODS: Mapping[str, Method] = {"time": _by_time, "stratified": _stratified, "random": _random}


def _microseconds(week: Week) -> int:
    return int(week.start.timestamp()) * 1_000_000
