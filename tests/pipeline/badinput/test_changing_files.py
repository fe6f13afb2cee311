"""Files that are written to while they are read."""

import gzip
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread

import pytest
from kind import HEADER, noon, octets, parquet

from collie_pipeline.settings import load_settings
from collie_pipeline.sources import Source, make_source
from collie_pipeline.sources.digest import unchanged
from collie_pipeline.weeks import Week

WEEK = Week.parse("2026-01-05")
MANY = "\n".join([",".join(HEADER), *(f"u{n},i{n % 90},5,{noon()}" for n in range(20_000)), ""])


@contextmanager
def growing(path: Path) -> Iterator[None]:
    """Append rows to `path` until the body is done."""
    started, done = Event(), Event()

    def append() -> None:
        with path.open("a") as file:
            while not done.wait(0.001):
                file.write(f"late,i1,5,{noon()}\n")
                file.flush()
                started.set()

    writer = Thread(target=append)
    writer.start()
    try:
        started.wait()
        yield
    finally:
        done.set()
        writer.join()


def source_of(folder: Path) -> Source:
    return make_source(load_settings(source="files", data_path=folder))


def test_a_file_that_grows_while_it_is_read_is_refused_and_read_once_it_rests(
    tmp_path: Path,
) -> None:
    octets(MANY.encode())(tmp_path)
    source = source_of(tmp_path)
    refused = pytest.raises(ValueError, match=r"interactions\.csv changed while it was .*rename")
    with growing(tmp_path / "interactions.csv"), refused:
        source.interactions(WEEK)
    rows = source.interactions(WEEK)
    assert len(rows) == (tmp_path / "interactions.csv").read_text().count("\n") - 1


@pytest.mark.parametrize("change", ["grow", "replace", "remove", "same size"])
def test_any_write_meanwhile_is_noticed(tmp_path: Path, change: str) -> None:
    path = tmp_path / "interactions.csv"
    path.write_text("ab")
    os.utime(path, (1, 1))

    def write() -> None:
        if change == "remove":
            path.unlink()
        elif change == "replace":
            (tmp_path / "new").write_text("ab")
            os.utime(tmp_path / "new", (1, 1))
            (tmp_path / "new").replace(path)
        else:
            path.write_text("abc" if change == "grow" else "xy")

    refused = pytest.raises(ValueError, match="changed while it was read, must stay as it is")
    with refused, unchanged([path]):
        write()


def test_what_rests_is_read_and_its_own_error_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "interactions.csv"
    path.touch()
    with unchanged([path]):
        pass
    with pytest.raises(KeyError, match="own"), unchanged([path]):
        raise KeyError("own")


def test_a_file_that_is_swapped_between_reads_is_read_anew(tmp_path: Path) -> None:
    source = source_of(tmp_path)
    parquet()(tmp_path)
    before = source.fingerprint(WEEK), len(source.interactions(WEEK))
    (tmp_path / "interactions.parquet").unlink()
    (tmp_path / "interactions.csv.gz").write_bytes(gzip.compress(MANY.encode()))
    assert (source.fingerprint(WEEK), len(source.interactions(WEEK))) != before
