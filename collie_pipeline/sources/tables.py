"""One Parquet or CSV(.gz) file as a data frame, or an error that names the file."""

import csv
import os
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from collie_core.tables import lookup
from collie_pipeline.sections import Files
from collie_pipeline.sources.csv_files import read_csv, read_header
from collie_pipeline.sources.digest import Signature, signature, unchanged
from collie_pipeline.sources.unreadable import bad_byte, beginning, column_hint

Columns = tuple[str, ...]
Odd = Mapping[str, str]  # what a column holds, by its name, where that is no text and no number
NESTED, BOOLEAN, TEMPORAL = "lists or records", "true and false", "times"
KINDS: Mapping[str, Callable[[pa.DataType], bool]] = {
    NESTED: pa.types.is_nested,
    BOOLEAN: pa.types.is_boolean,
    TEMPORAL: pa.types.is_temporal,
}
UNFIT: Mapping[str, tuple[str, tuple[str, ...]]] = {  # what one of our columns must be, and not be
    "user_id": ("text or whole numbers", (NESTED, BOOLEAN, TEMPORAL)),
    "item_id": ("text or whole numbers", (NESTED, BOOLEAN, TEMPORAL)),
    "rating": ("numbers", (NESTED, BOOLEAN)),
    "timestamp": ("text, numbers or times", (NESTED, BOOLEAN)),
    "title": ("text", (NESTED,)),
}
UNREADABLE = (EOFError, zlib.error, OSError, UnicodeError, ValueError, csv.Error, pa.ArrowException)


class Format(NamedTuple):
    """How one kind of file is read: the names of its columns, what odd ones hold, and rows."""

    names: Callable[[Path, Files], Columns]
    odd: Callable[[Path], Odd]
    rows: Callable[[Path, Columns, Files], pd.DataFrame]


def find_files(folder: Path, pattern: str) -> list[Path]:
    """Return the files below `folder` that match `pattern`, by name.

    Raises
    ------
    ValueError
        If there is none, or one of them is not a file, or may not be read.
    """
    try:
        paths = _found(folder, pattern)
        refused = next((path for path in (folder, *paths) if not os.access(path, os.R_OK)), None)
    except PermissionError as error:
        refused = Path(error.filename)
    if refused is not None:
        raise ValueError(
            f"{refused} may not be read by user {os.geteuid()}, must be: let this user read it and "
            f"the folders above, or run as another, or set COLLIE_DATA_PATH to another folder"
        )
    return paths


def _found(folder: Path, pattern: str) -> list[Path]:
    if not folder.is_dir():
        kind = "is not a folder" if folder.exists() else "does not exist"
        raise ValueError(f"data_path {folder} {kind}: set COLLIE_DATA_PATH to the files' folder")
    paths = sorted(folder.glob(pattern))
    if not paths:
        there = sorted(path.name for path in folder.iterdir())[:10]
        raise ValueError(f"no file of {folder} matches {pattern!r}: it has {there}")
    for path in paths:
        if not path.is_file():
            raise ValueError(f"{path} is not a file: narrow the pattern {pattern!r}")
    return paths


def column_names(path: Path, files: Files) -> Columns:
    """Return the names of the columns of `path`; see `read_columns` for what it raises."""
    return _names(signature(path), files)


def refuse_missing(path: Path, columns: Sequence[str], files: Files) -> None:
    """Refuse `path` if one of `columns` is not there, or there twice.

    Raises
    ------
    ValueError
        If so.
    """
    there = column_names(path, files)
    if missing := [column for column in columns if column not in there]:
        raise ValueError(
            f"{path} has no column {missing}, only {list(there)}: "
            f"{column_hint(there, missing[0], files)}"
        )
    if twice := [column for column in columns if there.count(column) > 1]:
        raise ValueError(
            f"{path} has more than one column {twice} among {list(there)}: rename the others"
        )


def refuse_unfit(path: Path, columns: Mapping[str, str], files: Files) -> None:
    """Refuse `path` if one of `columns`, its names by ours, holds what ours cannot be.

    Raises
    ------
    ValueError
        If so.
    """
    held = _odd(signature(path), files)
    for ours, (rule, unfit) in UNFIT.items():
        kind = held.get(columns.get(ours, ""))
        if kind in unfit:
            raise ValueError(
                f"{path} has {kind} in column {[columns[ours]]}, must be {rule}: name another in "
                "files.columns, or write them so"
            )


def read_columns(path: Path, columns: Sequence[str], files: Files) -> pd.DataFrame:
    """Return `columns` of `path` in this order: text as it stands in CSV, typed in Parquet.

    A CSV file with lines that have too many fields gets one column more, see `read_csv`.

    Raises
    ------
    ValueError
        If a column is not there, or there twice, or the file is empty, cut, not what its name
        says, or changes meanwhile.
    """
    refuse_missing(path, columns, files)
    return _frame(signature(path), tuple(columns), files)


@lru_cache(maxsize=1024)
def _names(signed: Signature, files: Files) -> Columns:
    path = signed[0]
    with _explained(path, files):
        return _format(path).names(path, files)


@lru_cache(maxsize=1024)
def _odd(signed: Signature, files: Files) -> Odd:
    path = signed[0]
    with _explained(path, files):
        return _format(path).odd(path)


# Two: a file's weeks are asked for one after the other, and its time column beside all columns.
@lru_cache(maxsize=2)
def _frame(signed: Signature, columns: Columns, files: Files) -> pd.DataFrame:
    path = signed[0]
    with unchanged([path]), _explained(path, files):
        return _format(path).rows(path, columns, files)


def _format(path: Path) -> Format:
    suffix = "".join(path.suffixes[-2:]) if path.suffix == ".gz" else path.suffix
    return lookup(f"format of {path.name},", FORMATS, suffix)


@contextmanager
def _explained(path: Path, files: Files) -> Iterator[None]:
    """Turn what reading `path` raises into one error that names it, with the way out."""
    if path.stat().st_size == 0:
        raise ValueError(f"{path} is empty, 0 bytes: remove it or write it again")
    _format(path)
    try:
        yield
    except UNREADABLE as error:
        known = beginning(path)
        if isinstance(error, UnicodeError) and known is None:
            raise ValueError(
                f"{path} is not in {files.encoding} ({bad_byte(path, files.encoding)}): "
                "set files.encoding, such as 'latin-1'"
            ) from error
        raise ValueError(
            f"{path} cannot be read, it is cut or not what its name says ({error}): "
            f"{known or 'write it again'}"
        ) from error


def _parquet_names(path: Path, files: Files) -> Columns:  # noqa: ARG001
    return tuple(pq.read_schema(path).names)


def _parquet_odd(path: Path) -> Odd:
    types = {
        each.name: each.type.value_type if pa.types.is_dictionary(each.type) else each.type
        for each in pq.read_schema(path)
    }
    return {name: kind for name, it in types.items() for kind, holds in KINDS.items() if holds(it)}


def _parquet_rows(path: Path, columns: Columns, files: Files) -> pd.DataFrame:  # noqa: ARG001
    table = pq.ParquetFile(path).read(columns=list(columns))
    plain = [
        each.with_type(each.type.value_type) if pa.types.is_dictionary(each.type) else each
        for each in table.schema
    ]
    # Integers with nulls would become floats, and ids above 2**53 other ids.
    frame: pd.DataFrame = table.cast(pa.schema(plain)).to_pandas(
        integer_object_nulls=True, date_as_object=False, ignore_metadata=True
    )
    return frame[list(columns)]


CSV = Format(read_header, lambda path: {}, read_csv)  # noqa: ARG005
FORMATS: Mapping[str, Format] = {
    ".csv": CSV,
    ".csv.gz": CSV,
    ".parquet": Format(_parquet_names, _parquet_odd, _parquet_rows),
}
