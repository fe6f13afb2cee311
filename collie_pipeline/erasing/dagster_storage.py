"""Taking a user out of what Dagster keeps: events in SQLite files, and logs of steps."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

from collie_pipeline.erasing.tables import rewriting
from collie_pipeline.erasing.who import Who
from collie_pipeline.storage.columns import HIDDEN

GONE = "removed by an erasure"


def erase_from_databases(home: Path, who: Who) -> int:
    """Return how many values in SQLite files under `home` told of the user, and now do not.

    Previews of tables with users, which events of older versions have, go altogether: an id of
    digits alone cannot be told from other numbers. Files are written anew, without old pages.
    """
    count = 0
    for path in databases(home):
        with suppress(sqlite3.DatabaseError):  # what cannot be read is named by the search
            count += _erase(path, who)
    return count


def databases(home: Path) -> list[Path]:
    """Return the SQLite files under `home`."""
    return sorted(path for path in home.rglob("*.db") if path.is_file())


def texts(connection: sqlite3.Connection) -> Iterator[tuple[str, str, int, str]]:
    """Give each text in a database: its table, column, row and value."""
    names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    for (table,) in names:
        columns = connection.execute("SELECT name FROM pragma_table_info(?)", (table,)).fetchall()
        for (column,) in columns:
            for row, value in connection.execute(_reading(table, column)).fetchall():
                yield table, column, row, value


def _reading(table: str, column: str) -> str:
    """Return the query of a column's texts: names, the database's own, cannot be bound."""
    named = _quoted(column)
    return f"SELECT rowid, {named} FROM {_quoted(table)} WHERE typeof({named}) = 'text'"  # noqa: S608


def _writing(table: str, column: str) -> str:
    return f"UPDATE {_quoted(table)} SET {_quoted(column)} = ? WHERE rowid = ?"  # noqa: S608


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _erase(path: Path, who: Who) -> int:
    with closing(sqlite3.connect(path, timeout=60)) as connection:
        connection.execute("PRAGMA secure_delete = ON")
        changed = [
            (table, column, row, new)
            for table, column, row, old in texts(connection)
            if (new := _without(old, who)) != old
        ]
        for table, column, row, new in changed:
            connection.execute(_writing(table, column), (new, row))
        connection.commit()
        if changed:
            connection.execute("VACUUM")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return len(changed)


def _without(text: str, who: Who) -> str:
    """Return `text` without previews of tables with users, and without the user."""
    if "md_str" in text:
        try:
            text = json.dumps(_without_previews(json.loads(text)))
        except ValueError:  # it is no JSON, and has no previews
            return who.redacted(text)
    return who.redacted(text)


def _without_previews(value: Any) -> Any:
    if isinstance(value, dict):
        cleaned = {key: _without_previews(each) for key, each in value.items()}
        if isinstance(shown := value.get("md_str"), str) and _is_of_users(shown):
            cleaned["md_str"] = GONE
        return cleaned
    return [_without_previews(each) for each in value] if isinstance(value, list) else value


def _is_of_users(shown: str) -> bool:
    """Return whether a Markdown table has a column of users' ids, and not hidden ones."""
    heading = shown.partition("\n")[0].replace("\\", "")
    return "| user_id |" in heading and HIDDEN not in shown


def erase_from_texts(paths: list[Path], who: Who) -> int:
    """Return in how many of the text files at `paths` the user was, and now is not."""
    count = 0
    for path in paths:
        try:
            text = path.read_text("utf-8")
        except (UnicodeDecodeError, FileNotFoundError):  # no text: what it holds is searched
            continue
        if who.is_in(text):
            with rewriting(path) as temporary:
                temporary.write_text(who.redacted(text), "utf-8")
            count += 1
    return count
