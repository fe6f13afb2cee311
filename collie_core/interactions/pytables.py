"""Tables that pandas wrote through PyTables, read as columns without PyTables or its pickles."""

import pickletools
from collections.abc import Iterator, Mapping
from contextlib import suppress
from importlib import import_module
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

TABLE = "table"
META = "meta"
STRINGS = {"STRING", "BINSTRING", "SHORT_BINSTRING", "UNICODE", "BINUNICODE", "SHORT_BINUNICODE"}
LISTS = {"PROTO", "FRAME", "MARK", "LIST", "EMPTY_LIST", "APPEND", "APPENDS", "STOP"}
MEMOS = {"PUT", "BINPUT", "LONG_BINPUT", "MEMOIZE"}  # name what was pushed, and do nothing


class TableColumn:
    """One column (B,) of a table, sliced like a dataset; times are int64 microseconds.

    Parameters
    ----------
    table : the compound dataset.
    field : its member, a column by itself or a block (B, D) of columns of one type.
    place : which column of the block.
    name : of the column.
    """

    def __init__(self, table: h5py.Dataset, field: str, place: int, name: str) -> None:
        self.name, self.shape = name, table.shape
        self._rows, self._place = table.fields(field), place
        self._kind = _text(table.attrs.get(f"{field}_dtype"))
        self._is_category = _text(table.attrs.get(f"{field}_meta")) == "category"
        self.dtype = self._plain(np.empty(0, table.dtype[field].base)).dtype

    def __len__(self) -> int:
        return int(self.shape[0])

    def __getitem__(self, rows: slice) -> NDArray[Any]:
        if self._is_category:
            raise ValueError(f"column {self.name!r} is categorical: write its codes as numbers")
        stored = self._rows[rows]
        return self._plain(stored if stored.ndim == 1 else stored[:, self._place].copy())

    def _plain(self, stored: NDArray[Any]) -> NDArray[Any]:
        """Return what is stored as numbers the way our own files have them."""
        if self._kind == "bool":
            return stored.astype(np.bool_)
        if not self._kind.startswith(("datetime64", "timedelta64")):
            return stored
        unit = self._kind if "[" in self._kind else f"{self._kind}[ns]"  # pandas before 2.0
        times = stored.astype(np.int64).view(unit)
        if np.isnat(times).any():
            raise ValueError(f"{self.name} is missing in a row: drop the row or fill it in")
        return times.astype(f"{unit.partition('[')[0]}[us]").view(np.int64)


class Table(Mapping[str, TableColumn]):
    """The columns of a group that pandas wrote with ``format="table"``, by name.

    Their names are kept as pickles, of which only lists of strings are accepted, and which are
    read but never run.

    Raises
    ------
    ValueError
        If the names are anything else, or nothing here can decompress the table.
    """

    def __init__(self, group: h5py.Group) -> None:
        self.name, self.file = group.name, group.file
        table = group[TABLE]
        _load_filters(table)
        self._columns = {
            name: TableColumn(table, field, place, name)
            for field in table.dtype.names
            if f"{field}_kind" in table.attrs and field != "index"
            for place, name in enumerate(_names(table, field))
        }

    def __getitem__(self, name: str) -> TableColumn:
        return self._columns[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._columns)

    def __len__(self) -> int:
        return len(self._columns)

    @property
    def attrs(self) -> dict[str, Any]:
        """What the frame under the key "meta" says in its one row, such as "num_users", or {}."""
        meta = self.file.get(META)
        said = _frame(meta) if isinstance(meta, h5py.Group) else {}
        if bad := {name: len(values) for name, values in said.items() if len(values) != 1}:
            raise ValueError(f"{META!r} has rows {bad}, must have 1: write the counts again")
        return {name: values[0] for name, values in said.items()}


def as_columns(group: h5py.Group) -> h5py.Group | Table:
    """Return `group`, or its columns if it is a table of pandas.

    Raises
    ------
    ValueError
        If it is a frame in pandas' other format, which has no rows to be read in pieces.
    """
    if _is_table(group):
        return Table(group)
    if _text(group.attrs.get("pandas_type")) == "frame":
        raise ValueError(f"{group.name} has pandas' fixed format: write it with format='table'")
    return group


def strings_in(pickled: object) -> list[str]:
    """Return the strings of a pickled list, without running the pickle.

    Raises
    ------
    ValueError
        If it is not the bytes of a pickle, or of one of anything but a list of strings.
    """
    if not isinstance(pickled, bytes):
        raise ValueError(f"{type(pickled).__name__} is no pickle, must be bytes")
    strings = []
    for opcode, argument, _ in pickletools.genops(pickled):
        if opcode.name in STRINGS:
            strings.append(str(argument))
        elif opcode.name not in LISTS | MEMOS:
            raise ValueError(f"{opcode.name} is in a pickle, must be a list of strings only")
    return strings


def _is_table(group: h5py.Group) -> bool:
    table = group.get(TABLE)
    return isinstance(table, h5py.Dataset) and table.dtype.names is not None


def _frame(group: h5py.Group) -> dict[str, NDArray[Any]]:
    """Return the whole columns of a small frame of numbers, in either format of pandas."""
    if _is_table(group):
        return {name: column[:] for name, column in Table(group).items()}
    columns: dict[str, NDArray[Any]] = {}
    for number in range(group.attrs.get("nblocks", 0)):
        names = group[f"block{number}_items"].asstr()[:]
        columns |= zip(names, group[f"block{number}_values"][:].T, strict=True)
    return columns


def _names(table: h5py.Dataset, field: str) -> list[str]:
    """Return the names of the columns in one member of the table."""
    way_out = "use columns named by strings, and write the file again"
    try:
        names = strings_in(table.attrs[f"{field}_kind"])
    except ValueError as error:
        raise ValueError(f"the names of {field} are refused ({error}): {way_out}") from error
    width = (table.dtype[field].shape or (1,))[0]
    if len(names) != width:
        raise ValueError(f"{field} has {len(names)} names of {width} columns: {way_out}")
    return names


def _load_filters(table: h5py.Dataset) -> None:
    """Make h5py able to decompress `table`, with the plugins if it cannot by itself."""
    if _unknown_filters(table):
        with suppress(ImportError):
            import_module("hdf5plugin")
    if unknown := _unknown_filters(table):
        raise ValueError(
            f"the table is compressed with {unknown}, which h5py cannot read by itself: "
            "install collie-pipeline[pytables], or write the file again without compression"
        )


def _unknown_filters(table: h5py.Dataset) -> list[str]:
    settings = table.id.get_create_plist()
    used = [settings.get_filter(number) for number in range(settings.get_nfilters())]
    return [_text(name) for code, _, _, name in used if not h5py.h5z.filter_avail(code)]


def _text(value: object) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
