"""Interactions in memory split into train, validation and test."""

from typing import Any, TypeVar

import numpy as np

from collie_core.cross_validation.folds import (
    TEST,
    TRAIN,
    VALIDATION,
    Folds,
    random_folds,
    stratified_folds,
    time_folds,
)
from collie_core.cross_validation.instants import Bound
from collie_core.interactions import BaseInteractions

Kind = TypeVar("Kind", bound=BaseInteractions)
NAMES = {TRAIN: "train", VALIDATION: "validation", TEST: "test"}


def random_split(
    interactions: Kind,
    val_p: float = 0.0,
    test_p: float = 0.2,
    processes: Any = None,
    seed: int | None = None,
) -> tuple[Kind, ...]:
    """Return train, validation (only if `val_p` > 0) and test, drawn at random from all rows.

    A user may be missing in a part (see `stratified_split`).

    Parameters
    ----------
    interactions : in memory.
    val_p, test_p, seed : see `random_folds`.
    processes : accepted for the sake of `stratified_split`, and ignored.

    Raises
    ------
    TypeError
        If `interactions` are on disk.
    ValueError
        If a share is refused, or a part has no rows.
    """
    del processes
    _in_memory(interactions)
    folds = random_folds(len(interactions), val_p, test_p, seed)
    return _parts(interactions, folds, with_validation=val_p > 0)


def stratified_split(
    interactions: Kind,
    val_p: float = 0.0,
    test_p: float = 0.2,
    processes: int = -1,
    seed: int | None = None,
    force_split: bool = False,
) -> tuple[Kind, ...]:
    """Return train, validation (only if `val_p` > 0) and test, with every user in each.

    Parameters
    ----------
    interactions : in memory.
    val_p, test_p, seed, force_split : see `stratified_folds`.
    processes : accepted and ignored: all users are split at once, which is faster.

    Raises
    ------
    TypeError
        If `interactions` are on disk.
    ValueError
        If a share is refused, a part has no rows, or a user has too few.
    """
    del processes
    _in_memory(interactions)
    folds = stratified_folds(interactions.users, val_p, test_p, seed, force_split)
    return _parts(interactions, folds, with_validation=val_p > 0)


def time_split(
    interactions: Kind,
    timestamps: Any,
    val_p: float = 0.0,
    test_p: float = 0.2,
    *,
    validation_from: Bound | None = None,
    test_from: Bound | None = None,
) -> tuple[Kind, ...]:
    """Return train, validation (only if asked for) and test, one after the other in time.

    Parameters
    ----------
    interactions : in memory.
    timestamps : (B,) the time of each of the interactions.
    val_p, test_p, validation_from, test_from : see `time_folds`.

    Raises
    ------
    TypeError
        If `interactions` are on disk, or times cannot be compared.
    ValueError
        If a share is refused, a part has no rows, or there is not one time an interaction.
    """
    _in_memory(interactions)
    if len(timestamps) != len(interactions):
        raise ValueError(
            f"there are {len(timestamps)} timestamps and {len(interactions)} interactions: remove "
            "duplicate pairs before, for Interactions keep only the first of each"
        )
    bounds = {"validation_from": validation_from, "test_from": test_from}
    folds = time_folds(timestamps, val_p, test_p, **bounds)
    with_validation = val_p > 0 or validation_from is not None
    return _parts(interactions, folds, with_validation=with_validation)


def _in_memory(interactions: Any) -> None:
    if not isinstance(interactions, BaseInteractions):
        raise TypeError(
            f"interactions are {type(interactions).__name__}, must be in memory: split a file "
            "with split_hdf5, or read it with read_hdf5"
        )


def _parts(interactions: Kind, folds: Folds, *, with_validation: bool) -> tuple[Kind, ...]:
    wanted = (TRAIN, VALIDATION, TEST) if with_validation else (TRAIN, TEST)
    sizes = np.bincount(folds, minlength=3)
    if empty := [NAMES[fold] for fold in wanted if not sizes[fold]]:
        raise ValueError(
            f"{empty} would have 0 of {len(interactions)} interactions, must have at least 1: use "
            "other shares or times"
        )
    return tuple(interactions.subset(np.flatnonzero(folds == fold)) for fold in wanted)
