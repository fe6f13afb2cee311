"""A kind of bad input: how it is written, and what becomes of it."""

import csv
import gzip
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from collie_pipeline.weeks import Week

WEEK = Week.parse("2026-01-05")
HEADER = ("user_id", "item_id", "rating", "timestamp")
FILE = "interactions"
Write = Callable[[Path], object]
Row = Mapping[str, object]


@dataclass(frozen=True)
class Kind:
    """One row of the table of bad input.

    Parameters
    ----------
    name : what is wrong, unique.
    write : writes the files of a folder.
    kept : user ids of the rows that are clean.
    reasons : of the rows in quarantine, in order.
    error : texts in the one error there is, in order; then nothing is read.
    files, prepare : settings other than the default.
    week : the week that is read.
    """

    name: str
    write: Write
    kept: tuple[str, ...] = ("ann", "bob")
    reasons: tuple[str, ...] = ()
    error: tuple[str, ...] = ()
    files: Mapping[str, object] = field(default_factory=dict)
    prepare: Mapping[str, object] = field(default_factory=dict)
    week: Week = WEEK

    @property
    def outcome(self) -> str:
        """What becomes of it, for the table in the documentation."""
        if self.error:
            return f"error: {' … '.join(self.error)}"
        if self.reasons:
            return f"quarantine: {', '.join(dict.fromkeys(self.reasons))}"
        others = [shown(name) for name in self.kept if name not in ("ann", "bob")]
        return f"kept, as {', '.join(dict.fromkeys(others))}" if others else "kept"


def shown(text: str, most: int = 40) -> str:
    """Return `text` with what cannot be seen escaped, and short."""
    seen = "".join(c if c.isascii() and c.isprintable() else ascii(c)[1:-1] for c in text)
    return repr(seen if len(seen) <= most else f"{seen[:most]}…").replace("\\\\", "\\")


def noon(week: Week = WEEK, day: int = 0) -> int:
    """Return the seconds of twelve o'clock, UTC, on a day of `week`."""
    return int((week.start + timedelta(days=day, hours=12)).timestamp())


def sound(week: Week = WEEK, **change: object) -> list[dict[str, object]]:
    """Return the rows of ann and bob, and between them ann's with `change`, if there is any."""
    first = {"user_id": "ann", "item_id": "tea", "rating": 5, "timestamp": noon(week)}
    last = {"user_id": "bob", "item_id": "jam", "rating": 3, "timestamp": noon(week, 6)}
    return [first, *([{**first, **change}] if change else []), last]


def table(
    rows: Sequence[Row],
    header: Sequence[str] = HEADER,
    delimiter: str = ",",
    encoding: str = "utf-8",
    name: str = f"{FILE}.csv",
) -> Write:
    """Return what writes `rows` as CSV."""

    def write(folder: Path) -> None:
        with (folder / name).open("w", encoding=encoding, newline="") as file:
            writer = csv.DictWriter(file, header, delimiter=delimiter, extrasaction="ignore")
            writer.writeheader()
            writer.writerows(rows)

    return write


def changed(**change: object) -> Write:
    """Return what writes CSV with a row that has `change` between two sound ones."""
    return table(sound(**change))


def lines(*content: str, encoding: str = "utf-8", end: str = "\n", name: str = "") -> Write:
    """Return what writes `content` as it stands, below the header."""
    return octets(
        end.join([",".join(HEADER), *content, ""]).encode(encoding), name or f"{FILE}.csv"
    )


def octets(content: bytes, name: str = f"{FILE}.csv") -> Write:
    """Return what writes these bytes."""
    return lambda folder: (folder / name).write_bytes(content)


def both(*writes: Write) -> Write:
    """Return what does all of `writes`."""
    return lambda folder: [write(folder) for write in writes]


def parquet(rows: Sequence[Row] = (), **columns: pa.Array) -> Write:
    """Return what writes `rows` as Parquet, with `columns` in the place of theirs."""

    def write(folder: Path) -> None:
        length = len(next(iter(columns.values()), rows))
        plain = pd.DataFrame(list(rows) or (sound(rating=5) if length == 3 else sound()))
        arrow = pa.Table.from_pandas(plain, preserve_index=False)
        for name, values in columns.items():
            place = arrow.schema.names.index(name)
            arrow = arrow.set_column(place, name, values)
        pq.write_table(arrow, folder / f"{FILE}.parquet")

    return write


def cut_gzip(folder: Path) -> None:
    """Write a gzip file without its end."""
    text = "\n".join([",".join(HEADER), *(f"u{n},i{n * 7919},5,{noon()}" for n in range(5_000))])
    (folder / f"{FILE}.csv.gz").write_bytes(gzip.compress(text.encode())[:2_000])
