"""Queries with the bounds of a week, and what their rows become."""

import hashlib
from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
from sqlalchemy import TextClause, text

from collie_pipeline.preparation.missing import plain_text
from collie_pipeline.preparation.timestamps import EARLIEST
from collie_pipeline.sections import Columns, TimeUnit
from collie_pipeline.weeks import Week

Unit = TimeUnit | Literal["timestamp"]
Bound = datetime | str | int
Hashes = npt.NDArray[np.uint64]
START, END = "start", "end"
BEGINNING = datetime.fromtimestamp(EARLIEST / 1e6, UTC)
UNFIT = (bool, date, time, timedelta)  # for ids and ratings
PER_SECOND: Mapping[str, int] = {"s": 1, "ms": 1_000, "us": 1_000_000}


def statement_of(setting: str, query: str, required: Collection[str] = ()) -> TextClause:
    """Return `query` as SQLAlchemy has it.

    Raises
    ------
    ValueError
        If a parameter is neither `:start` nor `:end`, or one of `required` is not there.
    """
    statement = text(query.strip().rstrip(";"))
    found = set(parameters_of(statement))
    if strange := sorted(found - {START, END}):
        raise ValueError(
            f"{setting} has the parameters {strange}, must have none but :start and :end: write a "
            r"colon that is none as \:"
        )
    if missing := sorted(set(required) - found):
        raise ValueError(
            f"{setting} has no :{' and no :'.join(missing)}, must have both, to be read a week at "
            "a time: add WHERE at >= :start AND at < :end, or set sql.mode = 'snapshot'"
        )
    return statement


def parameters_of(statement: TextClause) -> list[str]:
    """Return the names of the parameters of `statement`."""
    return sorted(statement.compile().params)


def bounds_of(week: Week | None, unit: Unit) -> dict[str, Bound]:
    """Return the first instant of `week` and the first after it, as a column of `unit` has them.

    Text begins with the date, whatever comes after it. None is for all times to
    the end of this week: rows before 1971 or of the future say nothing of the weeks there are.
    """
    start, end = week.start if week else BEGINNING, (week or Week.of(datetime.now(UTC))).end
    return {START: _bound(start, unit), END: _bound(end, unit)}


def _bound(moment: datetime, unit: Unit) -> Bound:
    if unit == "timestamp":
        return moment
    if unit == "iso":
        return moment.date().isoformat()
    return int(moment.timestamp()) * PER_SECOND[unit]


def texts(rows: pd.DataFrame) -> pd.DataFrame:
    """Return `rows`, whose columns are of objects, as text."""
    return pd.DataFrame({name: plain_text(values) for name, values in rows.items()})


def typed(rows: pd.DataFrame, unit: Unit) -> pd.DataFrame:
    """Return `rows`, whose columns are of objects, as text, but for times of the type `timestamp`.

    Raises
    ------
    ValueError
        If times should be of that type, and are not, or an id or a rating is of a type of others.
    """
    for name in ("user_id", "item_id", "rating"):
        if name in rows:
            _refuse_unfit(name, rows[name])
    if unit != "timestamp" or "timestamp" not in rows:
        return texts(rows)
    return texts(rows.drop(columns="timestamp")).assign(timestamp=_moments(rows["timestamp"]))


def _refuse_unfit(name: str, values: pd.Series) -> None:
    strange = next((each for each in values if isinstance(each, UNFIT)), None)
    if strange is not None:
        raise ValueError(
            f"{name} is {strange!r}, must be text or a number: choose another column in "
            "sql.interactions, or cast this one"
        )


def _moments(values: pd.Series) -> pd.Series:
    strange = [each for each in values if not (each is None or isinstance(each, date))]
    if strange:
        raise ValueError(
            f"timestamp is {strange[0]!r}, must be of a type such as timestamptz: set "
            "sql.time_unit to iso, s, ms or us"
        )
    return pd.to_datetime(values, utc=True).astype("datetime64[us, UTC]")


def named(
    setting: str,
    rows: pd.DataFrame,
    columns: Columns,
    ours: Collection[str],
    required: Collection[str],
) -> pd.DataFrame:
    """Return `ours` of the columns; an optional one must be named in `columns`, or be there.

    Raises
    ------
    ValueError
        If one is missing.
    """
    outside = columns.model_dump()
    names = {
        name: outside[name] or name
        for name in ours
        if name in required or outside[name] is not None or name in rows
    }
    if missing := [name for name in names.values() if name not in rows]:
        raise ValueError(
            f"{setting} gives no column {missing}, only {list(rows.columns)}: name them in "
            "sql.columns, or with AS in the query"
        )
    return rows[list(names.values())].set_axis(list(names), axis=1)


def hashes_of(rows: pd.DataFrame) -> Hashes:
    """Return a hash of each of `rows`, (B,)."""
    return pd.util.hash_pandas_object(rows, index=False).to_numpy().astype(np.uint64, copy=False)


def digest_of(parts: Iterable[pd.DataFrame]) -> str:
    """Return a hash, in hex, of the rows in `parts`, in whatever order they come.

    Eight bytes a row are kept, and of the rows themselves one part at a time.
    """
    columns: set[str] = set()
    hashes = []
    for part in parts:
        columns.update(map(str, part.columns))
        hashes.append(hashes_of(part))
    every = np.sort(np.concatenate(hashes))
    return hashlib.sha256(repr(sorted(columns)).encode() + every.tobytes()).hexdigest()
