"""What is in the schema: tables by publication, marked as ours, and the views upon them."""

import io
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

import pyarrow as pa
from pyarrow import csv

from collie_pipeline.exports.tables import SQL_TYPES, TABLES, batches
from collie_pipeline.storage import Publication

if TYPE_CHECKING:
    from psycopg2.extensions import cursor as Cursor  # noqa: N812 - a class, named so there

MARK = "collie export: dropped after the next one; read the view"
KEYS: Mapping[str, tuple[str, ...]] = {
    "users": ("user_id", "rank"),
    "similar_items": ("item_id", "rank"),
    "new_items": ("bucket", "rank"),
    "publication": ("id",),
}
WITHOUT_HEADER = csv.WriteOptions(include_header=False)


def make_schema(cursor: "Cursor", schema: str) -> None:
    """Make `schema` unless it is there: who may not make one may still fill one."""
    from psycopg2 import sql

    cursor.execute("SELECT 1 FROM pg_namespace WHERE nspname = %s", (schema,))
    if cursor.fetchone() is None:
        cursor.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(schema)))


def copy_tables(
    cursor: "Cursor", schema: str, publication: Publication, mark: str
) -> dict[str, str]:
    """Make and fill tables whose names end with `mark`, indexes and all; return them by view."""
    tables = {name: f"{name}_{publication.week.replace('-', '')}_{mark}" for name in TABLES}
    for name, table in tables.items():
        _create(cursor, schema, name, table)
        _copy(cursor, schema, table, batches(publication, name))
        _finish(cursor, schema, name, table)
    return tables


def _create(cursor: "Cursor", schema: str, name: str, table: str) -> None:
    from psycopg2 import sql

    columns = [
        sql.SQL("{} {}").format(sql.Identifier(field.name), sql.SQL(_type(field)))
        for field in TABLES[name]
    ]
    target = sql.Identifier(schema, table)
    cursor.execute(sql.SQL("CREATE TABLE {} ({})").format(target, sql.SQL(", ").join(columns)))
    cursor.execute(sql.SQL("COMMENT ON TABLE {} IS {}").format(target, sql.Literal(MARK)))


def _type(field: pa.Field) -> str:
    return "jsonb" if field.name == "manifest" else SQL_TYPES[field.type]


def _copy(cursor: "Cursor", schema: str, table: str, rows: pa.RecordBatchReader) -> None:
    from psycopg2 import sql

    target = sql.Identifier(schema, table)
    statement = sql.SQL("COPY {} FROM STDIN (FORMAT csv, FREEZE true, ENCODING 'UTF8')")
    cursor.copy_expert(statement.format(target), _Stream(_lines(rows)))


def _finish(cursor: "Cursor", schema: str, name: str, table: str) -> None:
    """Index the table, and count it: a planner without counts reads tables from end to end."""
    from psycopg2 import sql

    target = sql.Identifier(schema, table)
    key = sql.SQL(", ").join(map(sql.Identifier, KEYS[name]))
    cursor.execute(sql.SQL("ALTER TABLE {} ADD PRIMARY KEY ({})").format(target, key))
    cursor.execute(sql.SQL("ANALYZE {}").format(target))


def swap(cursor: "Cursor", schema: str, tables: Mapping[str, str], wait: int) -> None:
    """Point the views at `tables`, waiting at most `wait` milliseconds for each."""
    from psycopg2 import sql

    cursor.execute("SELECT set_config('lock_timeout', %s, true)", (f"{wait}ms",))
    for name, table in tables.items():
        columns = sql.SQL(", ").join(sql.Identifier(field) for field in TABLES[name].names)
        view, source = sql.Identifier(schema, name), sql.Identifier(schema, table)
        cursor.execute(
            sql.SQL("CREATE OR REPLACE VIEW {} AS SELECT {} FROM {}").format(view, columns, source)
        )


def drop_tables(cursor: "Cursor", schema: str, spared: Iterable[str], wait: int) -> None:
    """Drop the tables of earlier exports; one that is in use waits for the next export."""
    from psycopg2 import errors, sql

    cursor.execute("SELECT set_config('lock_timeout', %s, true)", (f"{wait}ms",))
    for table in _marked(cursor, schema) - set(spared):
        cursor.execute("SAVEPOINT dropping")
        try:
            cursor.execute(sql.SQL("DROP TABLE {}").format(sql.Identifier(schema, table)))
        except (errors.LockNotAvailable, errors.DependentObjectsStillExist):
            cursor.execute("ROLLBACK TO SAVEPOINT dropping")


def rows_of(cursor: "Cursor", schema: str, user_id: str) -> dict[str, int]:
    """Return how many rows of a user each table of this and earlier exports has, if it has any."""
    from psycopg2 import sql

    counts = {}
    for table in sorted(_marked(cursor, schema)):
        if "user_id" in _columns(cursor, schema, table):
            named = sql.Identifier(schema, table)
            cursor.execute(
                sql.SQL("SELECT count(*) FROM {} WHERE user_id = %s").format(named), (user_id,)
            )
            counts[table] = int(cursor.fetchone()[0])
    return {table: count for table, count in counts.items() if count}


def drop_table(cursor: "Cursor", schema: str, table: str, wait: int) -> None:
    """Drop `table`, waiting at most `wait` milliseconds for those who read it."""
    from psycopg2 import sql

    cursor.execute("SELECT set_config('lock_timeout', %s, true)", (f"{wait}ms",))
    cursor.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(sql.Identifier(schema, table)))


def _columns(cursor: "Cursor", schema: str, table: str) -> set[str]:
    cursor.execute(
        "SELECT attname FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid "
        "JOIN pg_namespace ON pg_namespace.oid = relnamespace "
        "WHERE nspname = %s AND relname = %s AND attnum > 0 AND NOT attisdropped",
        (schema, table),
    )
    return {str(name) for (name,) in cursor.fetchall()}


def _marked(cursor: "Cursor", schema: str) -> set[str]:
    cursor.execute(
        "SELECT relname FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace "
        "WHERE nspname = %s AND relkind = 'r' AND obj_description(pg_class.oid, 'pg_class') = %s",
        (schema, MARK),
    )
    return {str(name) for (name,) in cursor.fetchall()}


def _lines(rows: pa.RecordBatchReader) -> Iterator[bytes]:
    """Yield the rows as CSV: texts in quotes, so that a null is not an empty text."""
    for batch in rows:
        if batch.num_rows:  # a piece of nothing would be the end
            sink = io.BytesIO()
            csv.write_csv(batch, sink, WITHOUT_HEADER)
            yield sink.getvalue()


class _Stream:
    """What yields pieces, as a file that gives one a time, whatever size is asked for."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self.pieces = pieces

    def read(self, size: int = -1) -> bytes:  # noqa: ARG002 - the driver takes larger pieces
        return next(self.pieces, b"")
