"""The target `duckdb`, on real files."""

import subprocess
import sys
import threading
from pathlib import Path

import duckdb
import pandas as pd
import pytest
from publishing import ODD, published

from collie_pipeline.exports.duckdb_file import DuckDBFile

WEEKS = ("2026-01-05", "2026-01-12")
FILL_THE_DISK = """
import resource, sys
from pathlib import Path
from collie_pipeline.exports.duckdb_file import DuckDBFile
from collie_pipeline.storage.publication import read_publication
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
DuckDBFile(Path(sys.argv[1])).put(read_publication(Path(sys.argv[2])))
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "shop" / "collie.duckdb"


def ask(path: Path, query: str) -> list[tuple[object, ...]]:
    with duckdb.connect(str(path), read_only=True) as connection:
        return connection.execute(query).fetchall()


def test_the_tables_are_those_of_the_folder(tmp_path: Path, path: Path) -> None:
    publication = published(tmp_path, WEEKS[0])
    rows = DuckDBFile(path).put(publication)
    with duckdb.connect(str(path), read_only=True) as connection:
        found = connection.table("users").df()
    expected = pd.read_parquet(publication.table("users"))
    pd.testing.assert_frame_equal(found.astype(expected.dtypes), expected)
    assert set(found["user_id"]) >= set(ODD)
    assert found.dtypes["rank"] == "int16"
    assert rows == {"users": 41, "similar_items": 1, "new_items": 0}


def test_what_a_killed_export_left_goes_with_the_next_and_nothing_else(
    tmp_path: Path, path: Path
) -> None:
    path.parent.mkdir()
    for name in (".collie.duckdb.x.tmp", ".collie.duckdb.x.tmp.wal", ".other.duckdb.x.tmp"):
        (path.parent / name).touch()
    DuckDBFile(path).put(published(tmp_path, WEEKS[0]))
    there = {each.name for each in path.parent.iterdir()}
    assert there == {"collie.duckdb", ".other.duckdb.x.tmp"}


def test_the_file_says_which_publication_it_is(tmp_path: Path, path: Path) -> None:
    publication = published(tmp_path, WEEKS[0])
    rows = DuckDBFile(path).put(publication)
    assert ask(path, "SELECT id, week, model FROM publication") == [
        (publication.id, WEEKS[0], "made")
    ]
    held = DuckDBFile(path).held()
    assert (held.publication, held.rows) == (publication.id, rows)
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_who_has_the_file_open_keeps_it_and_the_next_gets_the_new(
    tmp_path: Path, path: Path
) -> None:
    target = DuckDBFile(path)
    target.put(published(tmp_path, WEEKS[0]))
    code = (
        "import duckdb, sys; c = duckdb.connect(sys.argv[1], read_only=True); print('open'); "
        "sys.stdin.readline(); print(c.execute('SELECT week FROM publication').fetchone()[0])"
    )
    reader = [sys.executable, "-uc", code, str(path)]
    with subprocess.Popen(
        reader, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "open\n"
        target.put(published(tmp_path, WEEKS[1]))
        assert process.communicate("\n")[0].strip() == WEEKS[0]
    assert ask(path, "SELECT week FROM publication") == [(WEEKS[1],)]


def test_a_reader_in_a_loop_sees_one_whole_set_during_twenty_swaps(
    tmp_path: Path, path: Path
) -> None:
    made = [published(tmp_path, week) for week in WEEKS]
    target = DuckDBFile(path)
    target.put(made[0])
    stop, seen = threading.Event(), set()

    def read() -> None:
        query = (
            "SELECT week, (SELECT string_agg(DISTINCT left(item_id, 10)) FROM users WHERE rank > 0)"
            ", (SELECT count(*) FROM users), similar_item_id FROM publication, similar_items"
        )
        while not stop.is_set():
            seen.update(ask(path, query))

    reader = threading.Thread(target=read)
    reader.start()
    for number in range(1, 21):
        target.put(made[number % 2])
    stop.set()
    reader.join()
    assert seen <= {(week, week, 41, week) for week in WEEKS}
    assert seen


def test_what_a_consumer_wrote_is_not_applied_to_the_next_file(tmp_path: Path, path: Path) -> None:
    target = DuckDBFile(path)
    target.put(published(tmp_path, WEEKS[0]))
    code = (
        "import duckdb, os, sys; c = duckdb.connect(sys.argv[1]); "
        "c.execute('DELETE FROM users'); os._exit(1)"
    )
    subprocess.run([sys.executable, "-c", code, str(path)], check=False)
    assert path.with_name("collie.duckdb.wal").exists()
    rows = target.put(published(tmp_path, WEEKS[1]))
    assert target.held().rows == rows


def test_a_full_disk_leaves_the_last_file(tmp_path: Path, path: Path) -> None:
    target = DuckDBFile(path)
    target.put(published(tmp_path, WEEKS[0]))
    large = published(tmp_path, WEEKS[1], users=20_000)
    command = [sys.executable, "-c", FILL_THE_DISK, str(path), str(large.path)]
    failed = subprocess.run(command, check=False, capture_output=True, text=True)
    assert "cannot be written" in failed.stderr
    assert ask(path, "SELECT week FROM publication") == [(WEEKS[0],)]
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_a_folder_that_is_a_file_is_named(tmp_path: Path, path: Path) -> None:
    path.parent.write_text("")
    with pytest.raises(OSError, match="shop"):
        DuckDBFile(path).put(published(tmp_path, WEEKS[0]))


@pytest.mark.parametrize("content", [b"", b"not a database at all"])
def test_a_file_that_is_something_else_is_not_what_was_exported(path: Path, content: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"collie\.duckdb is not what was exported"):
        DuckDBFile(path).held()


def test_a_file_that_is_not_there_is_said(path: Path) -> None:
    with pytest.raises(ValueError, match="use `collie export`"):
        DuckDBFile(path).held()
