"""The source `sql`: queries of any database that SQLAlchemy reaches, a week at a time."""

import hashlib
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cached_property

import numpy as np
import pandas as pd
from sqlalchemy import Executable, TextClause, column, func, select

from collie_pipeline.preparation.timestamps import parse_times
from collie_pipeline.sections import Mode, TimeUnit
from collie_pipeline.settings import Settings
from collie_pipeline.sources.about import genre_texts, one_row_an_id
from collie_pipeline.sources.by_week import bounded
from collie_pipeline.sources.database import Database
from collie_pipeline.sources.protocol import INTERACTION_COLUMNS, ITEM_COLUMNS
from collie_pipeline.sources.queries import (
    END,
    START,
    Bound,
    bounds_of,
    digest_of,
    hashes_of,
    named,
    parameters_of,
    statement_of,
    texts,
    typed,
)
from collie_pipeline.weeks import Week

ROWS, ITEMS, USERS, SPAN, VERSION = (
    f"sql.{name}" for name in ("interactions", "items", "users", "span", "version")
)


class SqlSource:
    """Interactions of a query with `:start` and `:end`, and items and users where there are some.

    A database has no order of rows, and does not say when they changed. So rows are put in the
    order of their times, equal ones by their content, and a fingerprint is a hash of all of them.
    """

    name: str = "sql"
    grows: bool = True

    def __init__(self, settings: Settings) -> None:
        self.settings, self.sql = settings, settings.sql
        self.mode: Mode = settings.sql.mode
        unit = settings.sql.time_unit
        self.time_unit: TimeUnit = "iso" if unit == "timestamp" else unit
        self._digests: dict[tuple[str, Week | None], tuple[float, str]] = {}

    def span(self) -> tuple[Week, Week]:
        """See `Source`.

        A snapshot is of the week of the setting `end`, or of the last one that is over.
        """
        if self.mode == "events":
            return bounded(*self._edges(), self.settings)
        end = self.settings.end
        week = Week.of(end) if end else Week.of(datetime.now(UTC)).previous
        return bounded(week, week, self.settings)

    def interactions(self, week: Week) -> pd.DataFrame:
        """See `Source`; `source_row` counts in the order of times."""
        rows = pd.concat(list(self._interactions(week)), ignore_index=True)
        hashes = hashes_of(rows)
        self._digests[ROWS, week] = (time.monotonic(), digest_of([rows]))
        moments = np.zeros(len(rows), np.int64)
        if "timestamp" in rows:
            moments = parse_times(rows["timestamp"], self.time_unit).microseconds
        rows = rows.take(np.lexsort((hashes, moments))).reset_index(drop=True)
        return rows.assign(source_row=np.arange(1, len(rows) + 1, dtype=np.int64))

    def items(self, week: Week) -> pd.DataFrame:
        """See `Source`; without `sql.items` nothing is known of any."""
        if self.sql.items is None:
            return pd.DataFrame(columns=list(ITEM_COLUMNS), dtype="str")
        rows = pd.concat(list(self._rows(ITEMS, self.sql.items, week)), ignore_index=True)
        items = named(ITEMS, rows, self.sql.columns, ITEM_COLUMNS, ("item_id",))
        if "genres" in items:
            items["genres"] = genre_texts(items["genres"], self.sql.genre_separator)
        return one_row_an_id(items.reindex(columns=list(ITEM_COLUMNS)), "item_id").fillna("")

    def users(self, week: Week) -> pd.DataFrame:
        """See `Source`; without `sql.users` nothing is known of any."""
        if self.sql.users is None:
            return pd.DataFrame(columns=["user_id"], dtype="str")
        rows = pd.concat(list(self._rows(USERS, self.sql.users, week)), ignore_index=True)
        ids = named(USERS, rows, self.sql.columns, ("user_id",), ("user_id",))
        others = rows.drop(columns=[self.sql.columns.user_id])
        return one_row_an_id(pd.concat([ids, others], axis=1), "user_id")

    def fingerprint(self, week: Week) -> str:
        """See `Source`.

        All rows are read for it, unless that was done in the last `sql.recheck_minutes`; or the
        answer to the query `sql.version` stands for them.
        """
        without = self.settings.without_influence["sql"]
        parts = [week.key, self.sql.model_dump_json(exclude=without)]
        if self.sql.version is not None:
            parts.append(self._version(self.sql.version, week))
        else:
            parts.append(self._digest(ROWS, self._query, week))
            queries = ((ITEMS, self.sql.items), (USERS, self.sql.users))
            parts += [self._digest(name, query, week) for name, query in queries if query]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()

    @cached_property
    def _database(self) -> Database:
        if self.sql.url is None:
            raise ValueError(
                "sql.url is not set, the source 'sql' reads there: set COLLIE_SQL__URL in the "
                "environment"
            )
        database = Database(self.sql.url, self.sql.chunk_rows)
        if database.dialect == "sqlite" and self.sql.time_unit == "timestamp":
            raise ValueError(
                "sql.time_unit is 'timestamp', a type that SQLite does not have: use iso, s, ms "
                "or us"
            )
        return database

    @property
    def _query(self) -> str:
        if self.sql.interactions is None:
            raise ValueError(
                "sql.interactions is not set: set it to a query such as SELECT user_id, item_id, "
                "timestamp FROM events WHERE timestamp >= :start AND timestamp < :end"
            )
        return self.sql.interactions

    def _edges(self) -> tuple[Week, Week]:
        """Return the weeks of the first and of the last time that the database has."""
        setting, statement = ROWS, self._first_and_last()
        if self.sql.span is not None:
            setting, statement = SPAN, statement_of(SPAN, self.sql.span)
        values = bounds_of(None, self.sql.time_unit) if setting == ROWS else {}
        found = self._database.rows(setting, statement, values)
        if [len(row) for row in found] != [2]:
            raise ValueError(
                f"{setting} gives rows of {[len(row) for row in found][:3]} columns, must give one "
                "row of two: the first and the last time"
            )
        times = parse_times(pd.Series(found[0], dtype=object), self.time_unit)
        if not times.usable.all():
            raise ValueError(
                f"{setting} has no usable timestamp from 1971 to now: check sql.time_unit "
                "and sql.columns.timestamp, or set sql.mode = 'snapshot'"
            )
        moments = [datetime.fromtimestamp(at / 1e6, UTC) for at in times.microseconds.tolist()]
        return Week.of(moments[0]), Week.of(moments[1])

    def _first_and_last(self) -> Executable:
        name = self.sql.columns.timestamp or "timestamp"
        rows = statement_of(ROWS, self._query, (START, END)).columns(column(name)).subquery("rows")
        return select(func.min(rows.c[name]).label("first"), func.max(rows.c[name]).label("last"))

    def _interactions(self, week: Week) -> Iterator[pd.DataFrame]:
        """Yield the week's rows in pieces, our columns of them; a snapshot is of one week."""
        timed = () if self.mode == "snapshot" else ("timestamp",)
        required = ("user_id", "item_id", *timed)
        is_there = self.mode == "events" or week == self.span()[1]
        for part in self._rows(ROWS, self._query, week):
            own = named(ROWS, part, self.sql.columns, INTERACTION_COLUMNS, required)
            rows = typed(own, self.sql.time_unit)
            yield rows if is_there else rows.iloc[:0]

    def _rows(self, setting: str, query: str, week: Week) -> Iterator[pd.DataFrame]:
        return self._database.chunks(setting, *self._asked(setting, query, week))

    def _asked(self, setting: str, query: str, week: Week) -> tuple[TextClause, dict[str, Bound]]:
        """Return the query, and the values of those parameters that it has."""
        is_weekly = setting == ROWS and self.mode == "events"
        statement = statement_of(setting, query, (START, END) if is_weekly else ())
        bounds = bounds_of(week, self.sql.time_unit)
        return statement, {name: bounds[name] for name in parameters_of(statement)}

    def _digest(self, setting: str, query: str, week: Week) -> str:
        """Return the hash of all rows that `query` gives for `week`, as long as one holds."""
        is_weekly = setting == ROWS or parameters_of(statement_of(setting, query))
        key = setting, week if is_weekly else None
        known = self._digests.get(key)
        if known is None or time.monotonic() - known[0] >= self.sql.recheck_minutes * 60:
            read = (
                self._interactions(week)
                if setting == ROWS
                else map(texts, self._rows(setting, query, week))
            )
            self._digests[key] = (time.monotonic(), digest_of(read))
        return self._digests[key][1]

    def _version(self, query: str, week: Week) -> str:
        statement, values = self._asked(VERSION, query, week)
        return repr(
            [list(map(str, row)) for row in self._database.rows(VERSION, statement, values)]
        )
