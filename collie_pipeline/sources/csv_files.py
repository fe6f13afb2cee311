"""One CSV(.gz) file, every field as it stands, and every line that does not fit marked."""

import csv
import gzip
from collections.abc import Sequence
from io import BufferedReader, TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from collie_core.allocator import giving_memory_back
from collie_pipeline.preparation.clean import FAULT
from collie_pipeline.preparation.missing import are_digits, plain_text
from collie_pipeline.sections import Files

if TYPE_CHECKING:
    from pandas.io.parsers import TextFileReader

ROWS_AT_ONCE = 1 << 16  # whose fields pandas holds as objects: all at once take twice the memory
MOST_EXTRA = 100  # fields beyond the header's that a line may have and still be kept
INT64_DIGITS = 18  # of any number that int64 holds


def opened(path: Path) -> BufferedReader | gzip.GzipFile:
    """Return the bytes of `path`, unpacked."""
    return gzip.GzipFile(path) if path.suffix == ".gz" else path.open("rb")


def read_header(path: Path, files: Files) -> tuple[str, ...]:
    """Return the names in the first line, as they stand there."""
    return tuple(_parsed(path, files, header=None, nrows=1).iloc[0])


@giving_memory_back
def read_csv(path: Path, columns: Sequence[str], files: Files) -> pd.DataFrame:
    """Return `columns` as text; where lines have too many fields, `FAULT` says which.

    Such a line stands whole in the first of `columns`, the others are null. Where there is none, a
    column of nothing but whole numbers, each written as Python writes it, is of these: they take a
    third of the memory, and say the same.

    Raises
    ------
    ValueError
        If no line has as many fields as the header.
    """
    # All columns are read, because with `usecols` a line with too many fields would pass.
    try:
        with _chunks(path, files) as chunks:
            parts = [_narrowed(chunk[list(columns)]) for chunk in chunks]
    except pd.errors.ParserError:
        return _ragged(path, columns, files)
    # Where every line has more fields than the header, pandas makes an index of the first.
    if not all(isinstance(part.index, pd.RangeIndex) for part in parts):
        return _ragged(path, columns, files)
    return together(parts)


def together(parts: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Return all rows; a column that is a number in one part and text in another is text."""
    for column in parts[0].columns.drop(FAULT, errors="ignore"):
        kinds = {part[column].dtype for part in parts}
        if len(kinds) > 1 and not any({kind.kind for kind in kinds} == {each} for each in "iM"):
            parts = [part.assign(**{column: plain_text(part[column])}) for part in parts]
    return pd.concat(parts, ignore_index=True)


def _narrowed(chunk: pd.DataFrame) -> pd.DataFrame:
    return chunk.assign(**{str(name): _as_numbers(values) for name, values in chunk.items()})


def _as_numbers(values: pd.Series) -> pd.Series:
    """Return `values`, text, as the whole numbers that it spells, or as it is."""
    texts = pa.array(values)
    if not (len(texts) and are_digits(texts, INT64_DIGITS)):
        return values
    if pc.any(pc.match_substring_regex(texts, "^0.")).as_py():  # "007" is another id than "7"
        return values
    numbers = pc.cast(texts, pa.int64()).to_numpy(zero_copy_only=False)
    least_bits = np.min_scalar_type(~numbers.max())  # of a signed type, as ~127 is -128
    return pd.Series(numbers.astype(least_bits), values.index)


def _parsed(path: Path, files: Files, **options: Any) -> pd.DataFrame:
    with _chunks(path, files, **options) as chunks:
        return pd.concat(chunks)


def _chunks(path: Path, files: Files, **options: Any) -> "TextFileReader":
    # Every value stays the text it is: "007" and "NA" are ids, and blanks go to the quarantine.
    return pd.read_csv(
        path,
        sep=files.delimiter,
        encoding=files.encoding,
        dtype="str",
        keep_default_na=False,
        chunksize=ROWS_AT_ONCE,
        **options,
    )


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
