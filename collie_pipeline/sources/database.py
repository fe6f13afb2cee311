"""Queries of any SQL database, read piece by piece, with errors that do not repeat its URL."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd
from pydantic import SecretStr
from sqlalchemy import Engine, Executable, NullPool, create_engine, text
from sqlalchemy.engine import URL, Connection, CursorResult, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from collie_pipeline.database_errors import database_fault

Values = Mapping[str, object]
UTC_AND_READ_ONLY = ("SET TIME ZONE 'UTC'", "SET TRANSACTION READ ONLY")
WAY_OUT = "see COLLIE_SQL__URL and the query"


class Database:
    """What is reached by `url`; nothing is connected before something is read.

    Parameters
    ----------
    url : as SQLAlchemy writes it.
    chunk_rows : rows fetched at once, which bounds the memory beside the result.
    """

    def __init__(self, url: SecretStr, chunk_rows: int) -> None:
        self.url, self.chunk_rows = url, chunk_rows

    @property
    def dialect(self) -> str:
        """The name of the kind of database, such as "postgresql" or "sqlite"."""
        return self._engine.dialect.name

    def chunks(self, setting: str, statement: Executable, values: Values) -> Iterator[pd.DataFrame]:
        """Yield the rows of `statement` in pieces, all columns of objects; the first may be empty.

        Parameters
        ----------
        setting : the name of the setting that the query is from, for errors.
        values : of the statement's parameters.

        Raises
        ------
        ValueError
            If the database is not reached, refuses the query, or is lost on the way.
        """
        with self._answer(setting, statement, values) as result:
            names = list(result.keys())
            if twice := sorted({name for name in names if names.count(name) > 1}):
                raise ValueError(f"{setting} gives the column {twice} twice: leave one of them out")
            yield pd.DataFrame(columns=names, dtype=object)
            for part in result.partitions(self.chunk_rows):
                yield _frame(names, part)

    def rows(self, setting: str, statement: Executable, values: Values) -> list[tuple[Any, ...]]:
        """Return the few rows of `statement`, see `chunks`."""
        with self._answer(setting, statement, values) as result:
            return [tuple(row) for row in result]

    @contextmanager
    def _answer(
        self, setting: str, statement: Executable, values: Values
    ) -> Iterator[CursorResult[Any]]:
        """Give the answer to `statement`; what goes wrong inside is said without the URL."""
        try:
            with self._reading() as connection:
                result = connection.execute(statement, dict(values))
                if not result.returns_rows:
                    raise ValueError(f"{setting} gives no rows: begin it with SELECT")
                yield result
        except SQLAlchemyError as error:
            said = database_fault(error, self.url)
            raise ValueError(f"{setting}: {said}; {WAY_OUT}") from None

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with self._engine.connect() as plain:
            if plain.dialect.name == "postgresql":
                for statement in UTC_AND_READ_ONLY:
                    plain.execute(text(statement))
            yield plain.execution_options(stream_results=True, max_row_buffer=self.chunk_rows)

    @cached_property
    def _engine(self) -> Engine:
        url = self._parsed()
        patience = {"connect_timeout": 10} if url.get_backend_name() == "postgresql" else {}
        try:
            return create_engine(url, poolclass=NullPool, connect_args=patience)
        except NoSuchModuleError:
            raise ValueError(f"SQLAlchemy knows no {url.drivername}: {WAY_OUT}") from None
        except ModuleNotFoundError as error:
            raise ValueError(
                f"{url.drivername} needs the package {error.name}, which is not installed: install "
                "it, or for PostgreSQL collie-pipeline[postgres], with a URL that begins with "
                "postgresql+psycopg2://"
            ) from None

    def _parsed(self) -> URL:
        try:
            url = make_url(self.url.get_secret_value())
        except (ArgumentError, ValueError):
            raise ValueError(
                "sql.url is no URL of SQLAlchemy: set COLLIE_SQL__URL to one such as "
                "postgresql+psycopg2://user:password@host/database or sqlite:///file.db"
            ) from None
        path = url.database if url.get_backend_name() == "sqlite" else None
        if path and path != ":memory:" and not Path(path).is_file():  # SQLite would make it
            raise ValueError(
                "sql.url names a file of SQLite that is not there: see COLLIE_SQL__URL"
            )
        return url


def _frame(names: list[str], rows: Any) -> pd.DataFrame:
    columns = zip(*rows, strict=True)
    return pd.DataFrame(
        {
            name: pd.Series(map(_plain, column), dtype=object)
            for name, column in zip(names, columns, strict=True)
        }
    )


def _plain(value: object) -> object:
    """Return `value`; the driver's view of bytes would not outlive the row."""
    return bytes(value) if isinstance(value, memoryview) else value
