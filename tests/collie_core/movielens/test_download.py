import hashlib
import io
import threading
import zipfile
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from collie_core.movielens.download import download_movielens, fetch, unpack
from collie_core.movielens.folder import movielens_folder


def zipped(**files: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return buffer.getvalue()


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def site(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """A folder and the address at which it is served."""
    (tmp_path / "site").mkdir()
    handler = partial(Quiet, directory=tmp_path / "site")
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield tmp_path / "site", f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_expected_bytes_are_fetched(site: tuple[Path, str]) -> None:
    folder, address = site
    archive = zipped(a="b")
    (folder / "a.zip").write_bytes(archive)
    sha256 = hashlib.sha256(archive).hexdigest()
    assert fetch(f"{address}/a.zip", len(archive), sha256) == archive


@pytest.mark.parametrize("change", [b"", b"x"])
def test_other_bytes_are_refused(site: tuple[Path, str], tmp_path: Path, change: bytes) -> None:
    folder, address = site
    (folder / "a.zip").write_bytes(zipped(a="b") + change)
    with pytest.raises(ValueError, match=r"a\.zip gave \d+ bytes with sha256 .*must be 4924029"):
        download_movielens(tmp_path / "ml-100k", f"{address}/a.zip")
    assert not (tmp_path / "ml-100k").exists()


def test_without_network_the_message_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ConnectionError, match=r"cannot download http://127\.0\.0\.1:9/.*DATA_PATH"):
        download_movielens(tmp_path / "ml-100k", "http://127.0.0.1:9/ml-100k.zip")


def test_files_lie_in_the_folder_itself(tmp_path: Path) -> None:
    unpack(zipped(**{"ml-100k/u.data": "1", "ml-100k/u.item": "2"}), tmp_path / "there")
    assert sorted(path.name for path in (tmp_path / "there").iterdir()) == ["u.data", "u.item"]


@pytest.mark.parametrize(
    "name", ["../evil", "ml-100k/../../evil", "/etc/evil", "a/b/c", "..\\evil", "C:/evil"]
)
def test_archive_that_leaves_its_folder_is_refused_whole(tmp_path: Path, name: str) -> None:
    inner = tmp_path / "inner"
    with pytest.raises(ValueError, match="leaves its folder"):
        unpack(zipped(**{"ml-100k/u.data": "1", name: "2"}), inner / "ml-100k")
    assert list(inner.iterdir()) == []
    assert list(tmp_path.iterdir()) == [inner]


def test_folder_of_an_older_attempt_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "ml-100k").mkdir()
    (tmp_path / "ml-100k" / "u.data").write_text("half")
    unpack(zipped(**{"ml-100k/u.data": "whole"}), tmp_path / "ml-100k")
    assert (tmp_path / "ml-100k" / "u.data").read_text() == "whole"


def test_broken_archive_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(zipfile.BadZipFile):
        unpack(b"no zip", tmp_path / "ml-100k")
    assert list(tmp_path.iterdir()) == []


def fill(folder: Path) -> Path:
    folder.mkdir(parents=True)
    for name in ("u.data", "u.item", "u.user"):
        (folder / name).touch()
    return folder


def test_given_folder_or_the_one_above_is_found(tmp_path: Path) -> None:
    folder = fill(tmp_path / "ml-100k")
    assert movielens_folder(folder) == movielens_folder(tmp_path) == folder


def test_wrong_path_is_refused_with_what_it_lacks(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    fill(tmp_path / "half").joinpath("u.item").unlink()
    for name, lack in (
        ("nowhere", "does not exist"),
        ("file", "is not a folder"),
        ("half", "has no u.item"),
    ):
        with pytest.raises(ValueError, match=f"{name} {lack}, must be a folder with u.data"):
            movielens_folder(tmp_path / name)
