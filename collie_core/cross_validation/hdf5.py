"""A file of interactions split into files, a piece at a time."""

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

import h5py
import numpy as np

from collie_core.cross_validation.folds import Folds
from collie_core.files import written_aside
from collie_core.interactions.hdf5_file import IDS, columns_of, named_errors, open_file
from collie_core.interactions.ids import at_least
from collie_core.new_hdf5 import new_hdf5
from collie_core.utils.hdf5 import create_column


def split_hdf5(
    source: str | Path,
    targets: Mapping[int, str | Path],
    folds: Folds,
    chunk_rows: int = 1 << 18,
) -> None:
    """Write the rows of `source` to one file a fold, in order, reading `chunk_rows` at a time.

    Each file has all columns, the counts and the outside ids of `source`. All of them take their
    places when all are whole, so that a failure leaves what was there.

    Parameters
    ----------
    source : a file that `pandas_df_to_hdf5` wrote.
    targets : the file of each fold, such as ``{0: train, 1: validation, 2: test}``.
    folds : (B,) the fold of each row of `source`.
    chunk_rows : how many rows are in memory at once.

    Raises
    ------
    FileNotFoundError, ValueError
        If `source` is refused (see `HDF5Interactions`), there is not one fold a row, a fold has no
        target, or a target has no rows.
    """
    folds = np.asarray(folds)
    paths = {fold: Path(path) for fold, path in targets.items()}
    source = Path(source)
    with open_file(source) as file:
        with named_errors(source):
            group = columns_of(file, ())
        _refuse_mismatch(folds, len(next(iter(group.values()))), paths)
        with written_aside(*paths.values()) as asides, ExitStack() as stack:
            for fold, aside in zip(paths, asides, strict=True):
                target = stack.enter_context(new_hdf5(aside))
                _copy_rows(group, target, folds == fold, at_least("chunk_rows", chunk_rows, 1))
                if IDS in file:
                    file.copy(IDS, target)


def _refuse_mismatch(folds: Folds, num_rows: int, paths: Mapping[int, Path]) -> None:
    if folds.shape != (num_rows,):
        raise ValueError(f"folds have shape {folds.shape}, must have ({num_rows},): one a row")
    present = set(np.unique(folds).tolist())
    if without := sorted(present - paths.keys()):
        raise ValueError(f"folds {without} have no target, only {sorted(paths)} have: add them")
    if empty := sorted(paths.keys() - present):
        raise ValueError(
            f"folds {empty} have 0 of {num_rows} rows, must have at least 1: use other shares"
        )


def _copy_rows(
    group: h5py.Group,
    target: h5py.File,
    is_kept: "np.ndarray[tuple[int], np.dtype[np.bool_]]",
    chunk_rows: int,
) -> None:
    copied = target.create_group(group.name)
    copied.attrs.update(group.attrs)
    for name, column in group.items():
        written = create_column(copied, name, int(is_kept.sum()), column.dtype)
        end = 0
        for start in range(0, len(column), chunk_rows):
            with named_errors(Path(group.file.filename)):
                rows = column[start : start + chunk_rows]
            rows = rows[is_kept[start : start + chunk_rows]]
            written[end : end + len(rows)] = rows
            end += len(rows)
