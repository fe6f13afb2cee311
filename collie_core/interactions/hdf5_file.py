"""The layout of our HDF5 files, read: a group of columns, and perhaps a group of outside ids."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
from numpy.typing import NDArray

from collie_core.interactions.ids import Count, at_least, checked_count
from collie_core.interactions.pytables import Table, TableColumn, as_columns

GROUP = "interactions"
IDS = "ids"
COUNTS = ("num_users", "num_items")
INFER_ROWS = 1 << 20
# A chunk serves many batches: with the default of 1 MiB shuffled batches read it again and again.
CHUNK_CACHE_BYTES = 1 << 24


def read_columns(path: str | Path, names: tuple[str, ...] | None = None) -> dict[str, NDArray[Any]]:
    """Return whole columns (B,) of a file by name, all of them if `names` is None.

    Raises
    ------
    FileNotFoundError, ValueError
        See `HDF5Interactions`.
    """
    with opened(path) as file:
        group = columns_of(file, names or ())
        return {name: group[name][:] for name in names or group}


def read_ids(path: str | Path) -> dict[str, NDArray[Any]]:
    """Return the outside ids of a file, "user_id" (U,) and "item_id" (N,) str; {} if it has none.

    Raises
    ------
    FileNotFoundError, ValueError
        See `HDF5Interactions`.
    """
    with opened(path) as file:
        return {name: data.asstr()[:] for name, data in file.get(IDS, {}).items()}


def known_counts(group: h5py.Group | Table) -> dict[str, int]:
    """Return the counts of users and items that the file says, by name."""
    said = group.attrs
    return {name: at_least(name, said[name], 1) for name in COUNTS if name in said}


def count_of(group: h5py.Group | Table, name: str, column: str, count: Count) -> int:
    """Return how many users or items there are: as asked, as the file says, or as its ids say.

    Raises
    ------
    ValueError
        If `column` has no rows, or ids that are not whole numbers or negative.
    """
    if group[column].dtype.kind not in "iu":
        raise ValueError(f"column {column!r} is {group[column].dtype}, must be of whole numbers")
    if not len(group[column]):
        raise ValueError(f"column {column!r} has 0 rows, must have at least 1")
    if count != "infer":
        return checked_count(name, count, 1, 1)
    return known_counts(group).get(name) or _largest(group[column]) + 1


@contextmanager
def opened(path: str | Path) -> Iterator[h5py.File]:
    """Open `path` for reading; every ValueError or OSError inside names the file.

    Raises
    ------
    FileNotFoundError, ValueError
        See `HDF5Interactions`.
    """
    with open_file(Path(path)) as file, named_errors(Path(path)):
        yield file


def columns_of(file: h5py.File, names: tuple[str, ...]) -> h5py.Group | Table:
    """Return the group of columns: "interactions", or the only one that is not "ids".

    What pandas wrote as a table looks like such a group; see `Table`.

    Raises
    ------
    ValueError
        If there is no such group, it has not the columns `names`, or their lengths differ.
    """
    groups = [name for name, node in file.items() if isinstance(node, h5py.Group) and name != IDS]
    if GROUP not in groups and len(groups) != 1:
        raise ValueError(f"no group {GROUP!r}, only {groups}: write it with pandas_df_to_hdf5")
    group = as_columns(file[GROUP if GROUP in groups else groups[0]])
    if missing := [name for name in names if name not in group]:
        raise ValueError(f"no column {missing[0]!r}: it has {sorted(group)}")
    lengths = {name: getattr(column, "shape", ()) for name, column in group.items()}
    if len(set(lengths.values())) > 1 or any(len(shape) != 1 for shape in lengths.values()):
        raise ValueError(f"columns of unequal shapes {lengths}: write the file again")
    return group


def open_file(path: Path) -> h5py.File:
    """Return `path` opened for reading.

    Raises
    ------
    FileNotFoundError, ValueError
        See `HDF5Interactions`.
    """
    if not path.is_file():
        raise FileNotFoundError(f"{path} is not a file: check hdf5_path")
    try:
        return h5py.File(path, "r", rdcc_nbytes=CHUNK_CACHE_BYTES)
    except OSError as error:
        known = "cut short or damaged" if h5py.is_hdf5(path) else "not an HDF5 file"
        raise ValueError(f"{path} is {known} ({error}): write it again") from error


@contextmanager
def named_errors(path: Path) -> Iterator[None]:
    """Make every error of a value, a type or the file inside name `path`."""
    try:
        yield
    except TypeError as error:
        raise TypeError(f"{path}: {error}") from error
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error
    except (OSError, RuntimeError) as error:
        raise ValueError(f"{path} cannot be read ({error}): write it again") from error


def _largest(column: h5py.Dataset | TableColumn) -> int:
    largest = -1
    for start in range(0, len(column), INFER_ROWS):
        values = column[start : start + INFER_ROWS]
        if (is_negative := values < 0).any():
            row = int(is_negative.argmax())
            raise ValueError(
                f"{column.name} {values[row]} at row {start + row} is negative: map ids first"
            )
        largest = max(largest, int(values.max()))
    return largest
