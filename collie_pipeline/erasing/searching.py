"""Looking for a user in all that is kept: by value where a file has values, then by bytes."""

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from pathlib import Path

import h5py
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from collie_core.bundle import read_bundle
from collie_core.interactions.hdf5_file import IDS
from collie_pipeline.erased import rows_of
from collie_pipeline.erasing.dagster_storage import texts
from collie_pipeline.erasing.who import Who
from collie_pipeline.exports.duckdb_file import DuckDBFile
from collie_pipeline.exports.vectors import ID, USERS
from collie_pipeline.preparation.missing import plain_text

OVERLAP, BLOCK = 1 << 14, 1 << 24
TEXTS = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view, pa.types.is_binary)


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
    with pq.ParquetFile(path) as file:
        table = file.read()
    if path.name == USERS and ID in table.column_names:
        table = table.rename_columns({ID: "user_id"})
    rows = _rows(table, who)
    values = {name: _strings(table[name]) for name in table.column_names}
    told = sum(who.is_in(each) for name in values for each in values[name] if name != "user_id")
    said = f"{rows} rows" if rows else f"{told} values" if told else ""
    return said, [each for texts in values.values() for each in texts]


def _rows(table: pa.Table, who: Who) -> int:
    """Return how many rows are the user's: ann is not in a column of ids that has ann.b."""
    flat = [field.name for field in table.schema if not pa.types.is_nested(field.type)]
    frame = table.select(flat).to_pandas(ignore_metadata=True, integer_object_nulls=True)
    return int(rows_of(frame, [who.user_id]).sum())


def _strings(column: pa.ChunkedArray) -> list[str]:
    """Return the different texts in a column, also those in lists and records."""
    while pa.types.is_list(column.type) or pa.types.is_fixed_size_list(column.type):
        column = pc.list_flatten(column)
    if pa.types.is_nested(column.type):
        return list(map(str, column.to_pylist()))
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if not any(is_kind(column.type) for is_kind in TEXTS):
        return []
    return list(plain_text(column.unique().drop_null().to_pandas()))


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


def _in_duckdb(path: Path, who: Who) -> tuple[str, Iterable[str]]:
    rows = sum(DuckDBFile(path).rows_of(who.user_id).values())
    return (f"{rows} rows" if rows else ""), ()


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
    ".duckdb": _in_duckdb,
}
