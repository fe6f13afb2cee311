"""One Parquet or CSV(.gz) file as a data frame, or an error that names the file."""

import zlib
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from collie_core.tables import lookup
from collie_pipeline.sections import Files
from collie_pipeline.sources.digest import Signature, signature

Columns = tuple[str, ...]
Reader = Callable[[Path, Columns | None, Files], pd.DataFrame]
UNREADABLE = (EOFError, zlib.error, OSError, UnicodeError, ValueError, pa.ArrowException)


def find_files(folder: Path, pattern: str) -> list[Path]:
    """Return the files below `folder` that match `pattern`, by name.

    Raises
    ------
    ValueError
        If there is none, or one of them is not a file.
    """
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


def read_columns(path: Path, columns: Sequence[str], files: Files) -> pd.DataFrame:
    """Return `columns` of `path` in this order: text as it stands in CSV, typed in Parquet.

    Raises
    ------
    ValueError
        If a column is not there, or the file is empty, cut, or not what its name says.
    """
    there = column_names(path, files)
    if missing := [column for column in columns if column not in there]:
        raise ValueError(
            f"{path} has no column {missing}, only {list(there)}: name them in files.columns"
        )
    return _frame(signature(path), tuple(columns), files)


@lru_cache(maxsize=1024)
def _names(signed: Signature, files: Files) -> Columns:
    return tuple(map(str, _attempt(signed[0], None, files).columns))


# Two: a file's weeks are asked for one after the other, and its time column beside all columns.
@lru_cache(maxsize=2)
def _frame(signed: Signature, columns: Columns, files: Files) -> pd.DataFrame:
    return _attempt(signed[0], columns, files)[list(columns)]


def _attempt(path: Path, columns: Columns | None, files: Files) -> pd.DataFrame:
    if path.stat().st_size == 0:
        raise ValueError(f"{path} is empty, 0 bytes: remove it or write it again")
    reader = lookup(f"format of {path.name},", READERS, _suffix(path))
    try:
        return reader(path, columns, files)
    except UnicodeError as error:
        raise ValueError(
            f"{path} is not in {files.encoding} ({error}): set files.encoding"
        ) from error
    except UNREADABLE as error:
        raise ValueError(
            f"{path} cannot be read, it is cut or not what its name says ({error}): write it again"
        ) from error


def _suffix(path: Path) -> str:
    return "".join(path.suffixes[-2:]) if path.suffix == ".gz" else path.suffix


def _read_csv(path: Path, columns: Columns | None, files: Files) -> pd.DataFrame:
    # Every value stays the text it is: "007" and "NA" are ids, and blanks go to the quarantine.
    # All columns are read, because with `usecols` a row with too many fields would pass.
    frame = pd.read_csv(
        path,
        sep=files.delimiter,
        encoding=files.encoding,
        dtype="str",
        keep_default_na=False,
        nrows=0 if columns is None else None,
    )
    if columns is not None and not isinstance(frame.index, pd.RangeIndex):
        raise ValueError(f"rows have more fields than the {len(frame.columns)} columns")
    return frame


def _read_parquet(path: Path, columns: Columns | None, files: Files) -> pd.DataFrame:  # noqa: ARG001
    if columns is None:
        return pd.DataFrame(columns=pq.read_schema(path).names)
    table = pq.ParquetFile(path).read(columns=list(columns))
    # Integers with nulls would become floats, and ids above 2**53 other ids.
    frame: pd.DataFrame = table.to_pandas(
        integer_object_nulls=True, date_as_object=False, ignore_metadata=True
    )
    return frame


READERS: Mapping[str, Reader] = {
    ".csv": _read_csv,
    ".csv.gz": _read_csv,
    ".parquet": _read_parquet,
}
