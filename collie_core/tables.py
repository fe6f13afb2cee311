"""Names go through tables: one look-up that refuses a stranger and lists the known."""

from collections.abc import Mapping
from typing import TypeVar

Entry = TypeVar("Entry")


def lookup(kind: str, table: Mapping[str, Entry], name: str) -> Entry:
    """Return the entry called `name`.

    Raises
    ------
    ValueError
        If `table` has no such name; the message lists the names it has.
    """
    if name not in table:
        raise ValueError(f"unknown {kind} {name!r}: use one of {sorted(table)}")
    return table[name]
