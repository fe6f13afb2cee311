"""Looking for a user in all that is kept: by value where a file has values, then by bytes."""

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import h5py
import pandas as pd

from collie_core.bundle import read_bundle
from collie_core.interactions.hdf5_file import IDS
from collie_pipeline.erased import rows_of
from collie_pipeline.erasing.dagster_storage import texts
from collie_pipeline.erasing.who import Who

OVERLAP, BLOCK = 1 << 14, 1 << 24


def search(folders: Iterable[Path], who: Who) -> dict[Path, str]:
    """Return each file below `folders` that tells of the user, with how it does."""
    found = {}
    for folder in folders:
        for path in sorted(each for each in folder.rglob("*") if each.is_file()):
            if said := _said(path, who):
                found[path] = said
    return found


def _said(path: Path, who: Who) -> str:
    look = KINDS.get(path.suffix)
    if look is None:
        return "the id in its bytes" if who.is_telling and _has_token(path, who) else ""
    try:
        said, others = look(path, who)
    except (ValueError, OSError, sqlite3.DatabaseError) as error:
        return f"it cannot be read, and may hold anybody: {error}"
    if said or not who.is_telling or any(who.user_id in each for each in others):
        return said
    return "the id in bytes that hold no value" if _has(path, who.user_id.encode()) else ""


def _in_parquet(path: Path, who: Who) -> tuple[str, Iterable[str]]:
    table = pd.read_parquet(path)
    rows = int(rows_of(table, [who.user_id]).sum())
    values = [each for name in table for each in _strings(table[name])]
    told = sum(map(who.is_in, values))
    return (f"{rows} rows" if rows else f"{told} values" if told else ""), values


def _strings(column: "pd.Series[Any]") -> list[str]:
    if column.dtype.kind not in "OU" and not isinstance(column.dtype, pd.StringDtype):
        return []
    return [str(each) for each in column.dropna().unique()]


def _in_hdf5(path: Path, who: Who) -> tuple[str, Iterable[str]]:
    with h5py.File(path, "r") as file:
        ids = {name: [*data.asstr()[:]] for name, data in file.get(IDS, {}).items()}
    return _in_ids(ids, who)


def _in_bundle(path: Path, who: Who) -> tuple[str, Iterable[str]]:
    return _in_ids(read_bundle(path).ids, who)


def _in_ids(ids: Mapping[str, list[str]], who: Who) -> tuple[str, Iterable[str]]:
    others = [each for names in ids.values() for each in names]
    return ("the id" if who.user_id in ids.get("user_id", ()) else ""), others


def _in_database(path: Path, who: Who) -> tuple[str, Iterable[str]]:
    with closing(sqlite3.connect(path, timeout=60)) as connection:
        values = [value for *_, value in texts(connection)]
    told = sum(map(who.is_in, values))
    return (f"{told} values" if told else ""), values


def _blocks(path: Path) -> Iterator[bytes]:
    """Give the bytes of a file, the end of each block again before the next."""
    tail = b""
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            yield tail + block
            tail = block[-OVERLAP:]


def _has(path: Path, needle: bytes) -> bool:
    return any(needle in block for block in _blocks(path))


def _has_token(path: Path, who: Who) -> bool:
    return any(who.is_in(block.decode("utf-8", "replace")) for block in _blocks(path))


Look = Callable[[Path, Who], tuple[str, Iterable[str]]]
KINDS: Mapping[str, Look] = {
    ".parquet": _in_parquet,
    ".h5": _in_hdf5,
    ".bundle": _in_bundle,
    ".db": _in_database,
}
