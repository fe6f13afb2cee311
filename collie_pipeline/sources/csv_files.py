"""One CSV(.gz) file as text: every field as it stands, and every line that does not fit marked."""

import csv
import gzip
from collections.abc import Sequence
from io import BufferedReader, TextIOWrapper
from pathlib import Path
from typing import Any

import pandas as pd

from collie_pipeline.preparation.clean import FAULT
from collie_pipeline.sections import Files

ROWS_AT_ONCE = 1 << 16  # whose fields pandas holds as objects: all at once take twice the memory
MOST_EXTRA = 100  # fields beyond the header's that a line may have and still be kept


def opened(path: Path) -> BufferedReader | gzip.GzipFile:
    """Return the bytes of `path`, unpacked."""
    return gzip.GzipFile(path) if path.suffix == ".gz" else path.open("rb")


def read_header(path: Path, files: Files) -> tuple[str, ...]:
    """Return the names in the first line, as they stand there."""
    return tuple(_parsed(path, files, header=None, nrows=1).iloc[0])


def read_csv(path: Path, columns: Sequence[str], files: Files) -> pd.DataFrame:
    """Return `columns` as text; where lines have too many fields, `FAULT` says which.

    Such a line stands whole in the first of `columns`, the others are null.

    Raises
    ------
    ValueError
        If no line has as many fields as the header.
    """
    # All columns are read, because with `usecols` a line with too many fields would pass.
    try:
        frame = _parsed(path, files)
    except pd.errors.ParserError:
        return _ragged(path, columns, files)
    # Where every line has more fields than the header, pandas makes an index of the first.
    if not isinstance(frame.index, pd.RangeIndex):
        return _ragged(path, columns, files)
    return frame[list(columns)]


def _parsed(path: Path, files: Files, **options: Any) -> pd.DataFrame:
    # Every value stays the text it is: "007" and "NA" are ids, and blanks go to the quarantine.
    with pd.read_csv(
        path,
        sep=files.delimiter,
        encoding=files.encoding,
        dtype="str",
        keep_default_na=False,
        chunksize=ROWS_AT_ONCE,
        **options,
    ) as chunks:
        return pd.concat(chunks)


def _ragged(path: Path, columns: Sequence[str], files: Files) -> pd.DataFrame:
    header = read_header(path, files)
    own, width = len(header), _widest(path, files)
    fields = _parsed(path, files, header=None, names=range(width), index_col=False).iloc[1:]
    extra = (fields.iloc[:, own:] != "").any(axis=1)
    if extra.all():
        raise ValueError(
            f"its rows have more fields than the {own} columns of its header {list(header)}"
        )
    frame = fields.iloc[:, :own].set_axis(list(header), axis=1)[list(columns)]
    frame[FAULT] = pd.Series("ragged_row", index=frame.index, dtype="str").where(extra)
    lines = [files.delimiter.join(line) for line in fields[extra].itertuples(index=False)]
    frame.loc[extra, list(columns)] = None
    frame.loc[extra, columns[0]] = [line.rstrip(files.delimiter) for line in lines]
    return frame.reset_index(drop=True)


def _widest(path: Path, files: Files) -> int:
    """Return how many fields the longest line has."""
    with opened(path) as stream, TextIOWrapper(stream, files.encoding, newline="") as text:
        rows = csv.reader(text, delimiter=files.delimiter)
        most = len(next(rows)) + MOST_EXTRA
        width = 0
        for row in rows:
            width = max(width, len(row))
            if width > most:
                raise ValueError(f"line {rows.line_num} has more than {most} fields")
    return width
