"""The target `postgres`: tables of a schema, swapped under their views in one transaction.

Every export makes tables of its own, and then points the views `users`, `similar_items`,
`new_items` and `publication` at them. Grants on the views stay, and so do views upon them, which
would follow a renamed table to its end. A transaction that has read one of the views holds the swap
up until it ends, so that what it reads of the others is of the same publication. Rows are frozen,
as PostgreSQL calls it: a transaction that began before the swap and reads after it finds the new
rows, and not tables that are empty to it.
"""

import time
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from pydantic import SecretStr

from collie_pipeline.database_errors import database_fault
from collie_pipeline.database_settings import Exports
from collie_pipeline.exports.postgres_tables import (
    copy_tables,
    drop_table,
    drop_tables,
    make_schema,
    rows_of,
    swap,
)
from collie_pipeline.exports.tables import LISTS, row_counts
from collie_pipeline.exports.target import Held, Rows
from collie_pipeline.storage import Publication

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection  # noqa: N812 - a class, named so there

ONE_EXPORT_AT_A_TIME = 0x636F6C6C  # the first half of a lock's number; the schema is the other
# Readers queue behind a swap that waits for one of them: so it does not wait long, and less than
# the second after which PostgreSQL looks for who waits for whom, and ends one of them.
WAIT_MILLISECONDS, FIRST_PAUSE, LONGEST_PAUSE = 400, 0.1, 2.0


class PostgresSchema:
    """A schema of a PostgreSQL database.

    Raises
    ------
    ValueError
        If the URL is not PostgreSQL's, or the driver is not installed.
    """

    name: str = "postgres"

    def __init__(self, exports: Exports) -> None:
        if exports.postgres_url is None:
            raise ValueError("exports.postgres_url is not set: set COLLIE_EXPORTS__POSTGRES_URL")
        try:
            import psycopg2  # noqa: F401 - see DuckDBFile
        except ModuleNotFoundError:
            raise ValueError(
                "exports.postgres is true, and the package psycopg2 is not installed: install "
                "collie-pipeline[postgres]"
            ) from None
        self.schema, self.patience = exports.postgres_schema, exports.lock_seconds
        self.url = _checked(exports.postgres_url)

    def put(self, publication: Publication) -> Rows:
        """See `Target`."""
        with self._connected() as connection:
            self._wait_for_others(connection)
            with connection, connection.cursor() as cursor:
                make_schema(cursor, self.schema)
                tables = copy_tables(cursor, self.schema, publication, uuid.uuid4().hex[:8])
                self._swap_when_free(connection, tables)
            with connection, connection.cursor() as cursor:
                drop_tables(cursor, self.schema, spared=tables.values(), wait=WAIT_MILLISECONDS)
        return row_counts(publication)

    def held(self) -> Held:
        """See `Target`."""
        from psycopg2 import sql

        with self._connected() as connection, connection, connection.cursor() as cursor:
            rows = {}
            for name in LISTS:
                view = sql.Identifier(self.schema, name)
                cursor.execute(sql.SQL("SELECT count(*) FROM {}").format(view))
                rows[name] = int(cursor.fetchone()[0])
            view = sql.Identifier(self.schema, "publication")
            cursor.execute(sql.SQL("SELECT id FROM {}").format(view))
            return Held(str(cursor.fetchone()[0]), rows)

    def rows_of(self, user_id: str) -> Rows:
        """See `Target`."""
        with self._connected() as connection, connection, connection.cursor() as cursor:
            return rows_of(cursor, self.schema, user_id)

    def forget(self, user_id: str) -> None:
        """See `Target`: what readers of an earlier export still hold is waited for."""
        for table in self.rows_of(user_id):
            with self._connected() as connection:
                self._drop_when_free(connection, table)

    @contextmanager
    def _connected(self) -> Iterator["Connection"]:
        """Give a connection; what goes wrong inside is said without the URL."""
        import psycopg2

        try:
            dsn = self.url.get_secret_value()
            with closing(
                psycopg2.connect(dsn, connect_timeout=10, application_name="collie export")
            ) as made:
                yield made
        except psycopg2.Error as error:
            said = database_fault(error, self.url)
            raise ValueError(
                f"the database of exports.postgres: {said}; see COLLIE_EXPORTS__POSTGRES_URL and "
                f"what its user may do in schema {self.schema}"
            ) from None

    def _wait_for_others(self, connection: "Connection") -> None:
        """Wait until no other export is at work; the lock goes with the connection."""
        query = "SELECT pg_try_advisory_lock(%s, hashtext(%s))"
        for _ in _attempts(self.patience):
            with connection, connection.cursor() as cursor:
                cursor.execute(query, (ONE_EXPORT_AT_A_TIME, self.schema))
                if cursor.fetchone()[0]:
                    return
        raise ValueError(
            f"another export to schema {self.schema} was at work for {self.patience:g} seconds: "
            "wait for its end, or raise exports.lock_seconds"
        )

    def _swap_when_free(self, connection: "Connection", tables: dict[str, str]) -> None:
        """Point the views at `tables` in the transaction that is open, when no reader holds one."""
        from psycopg2 import errors

        for _ in _attempts(self.patience):
            with connection.cursor() as cursor:
                cursor.execute("SAVEPOINT swap")
                try:
                    swap(cursor, self.schema, tables, WAIT_MILLISECONDS)
                except (errors.LockNotAvailable, errors.DeadlockDetected):
                    cursor.execute("ROLLBACK TO SAVEPOINT swap")
                else:
                    return
        raise ValueError(
            f"readers held the views of schema {self.schema} for {self.patience:g} seconds: end "
            "transactions that stay open (see pg_stat_activity), or raise exports.lock_seconds"
        )

    def _drop_when_free(self, connection: "Connection", table: str) -> None:
        from psycopg2 import errors

        named = f"table {table} of schema {self.schema}"
        for _ in _attempts(self.patience):
            try:
                with connection, connection.cursor() as cursor:
                    drop_table(cursor, self.schema, table, WAIT_MILLISECONDS)
                    return
            except errors.DependentObjectsStillExist:
                raise ValueError(
                    f"{named} cannot be dropped, as others are made of it: drop these first"
                ) from None
            except (errors.LockNotAvailable, errors.DeadlockDetected):
                continue
        raise ValueError(
            f"readers held {named} for {self.patience:g} seconds: end transactions that stay open "
            "(see pg_stat_activity), or raise exports.lock_seconds"
        )


def _attempts(seconds: float) -> Iterator[int]:
    """Yield once, and again after growing pauses until `seconds` are over."""
    end, pause, count = time.monotonic() + seconds, FIRST_PAUSE, 0
    while count == 0 or time.monotonic() < end:
        yield count
        time.sleep(min(pause, max(0.0, end - time.monotonic())))
        pause, count = min(2 * pause, LONGEST_PAUSE), count + 1


def _checked(url: SecretStr) -> SecretStr:
    """Return `url` as libpq has it, which knows of no drivers."""
    scheme, separator, rest = url.get_secret_value().partition("://")
    if scheme not in {"postgresql", "postgres", "postgresql+psycopg2"} or not separator:
        raise ValueError(
            "exports.postgres_url is no URL of PostgreSQL: begin COLLIE_EXPORTS__POSTGRES_URL with "
            "postgresql://"
        )
    return SecretStr(f"postgresql://{rest}")
