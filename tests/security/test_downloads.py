"""What comes from the network: over TLS, no more than agreed on, never out of its folder."""

import io
import socket
import stat
import threading
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from collie_core.fetching import fetched
from collie_core.movielens import read_movielens_posters_df
from collie_core.movielens.download import MOST_BYTES, URL, download_movielens, unpack
from collie_core.movielens.posters import URL as POSTERS_URL

WAY_OUT = "fetch it elsewhere"


class Wild(BaseHTTPRequestHandler):
    """Redirects to what the path says, or sends zeros without an end."""

    def do_GET(self) -> None:
        kind, _, target = self.path.removeprefix("/").partition("/")
        if kind == "to":
            self.send_response(302)
            self.send_header("Location", target)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self.send_response(200)
        self.end_headers()
        self._send_zeros(endless=kind == "endless")

    def _send_zeros(self, *, endless: bool) -> None:
        try:
            self.wfile.write(bytes(10))
            while endless:
                self.wfile.write(bytes(1 << 16))
        except OSError:  # nobody listens any more
            return

    def log_message(self, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def address() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Wild) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_addresses_of_ours_are_https() -> None:
    assert URL.startswith("https://")
    assert POSTERS_URL.startswith("https://")


@pytest.mark.parametrize(
    "url",
    [
        "http://files.grouplens.org/a.zip",
        "ftp://files.grouplens.org/a.zip",
        "file:///etc/passwd",
        "data:text/csv,item_id",
        "http://localhost.example.org/a.zip",
        "http://user@example.org:80@127.0.0.2/a.zip",
        "a.zip",
    ],
)
def test_what_is_not_https_is_refused_before_anything_is_sent(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATA_PATH", str(tmp_path / "cache"))
    monkeypatch.setattr(socket, "create_connection", lambda *_: pytest.fail("it was asked"))
    with pytest.raises(ValueError, match="is not https, must be"):
        fetched(url, 10, WAY_OUT)
    with pytest.raises(ValueError, match="is not https, must be"):
        download_movielens(tmp_path / "ml-100k", url)
    with pytest.raises(ValueError, match="is not https, must be"):
        read_movielens_posters_df(url=url)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("target", ["http://example.org/a.zip", "ftp://example.org/a", "file:///a"])
def test_redirect_to_what_is_not_https_is_refused(address: str, target: str) -> None:
    with pytest.raises((ValueError, ConnectionError), match=r"is not https|not allowed"):
        fetched(f"{address}/to/{target}", 10, WAY_OUT)


def test_redirect_on_this_machine_is_followed(address: str) -> None:
    assert fetched(f"{address}/to/{address}/zeros", 10, WAY_OUT) == bytes(10)


def test_no_more_is_read_than_was_agreed_on(address: str) -> None:
    with pytest.raises(ValueError, match=f"has more than 1000 bytes.*: {WAY_OUT}"):
        fetched(f"{address}/endless", 1000, WAY_OUT)


def zipped(*members: tuple[zipfile.ZipInfo | str, bytes], packed: bool = False) -> bytes:
    buffer = io.BytesIO()
    kind = zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED
    with zipfile.ZipFile(buffer, "w", kind) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return buffer.getvalue()


def test_archive_with_a_link_is_refused(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("ml-100k/u.data")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with pytest.raises(ValueError, match="is a link: do not use this archive"):
        unpack(zipped((link, b"/etc/passwd")), tmp_path / "ml-100k")
    assert list(tmp_path.iterdir()) == []


def test_archive_far_larger_than_it_looks_is_refused(tmp_path: Path) -> None:
    half = bytes(MOST_BYTES // 2 + 1)
    archive = zipped(("ml-100k/a", half), ("ml-100k/b", half), packed=True)
    assert len(archive) < MOST_BYTES / 100
    with pytest.raises(ValueError, match=r"the archive unpacks to .* bytes, must be at most"):
        unpack(archive, tmp_path / "ml-100k")
    assert list(tmp_path.iterdir()) == []


def test_archive_that_lies_about_its_size_gives_no_more_than_it_says(tmp_path: Path) -> None:
    true, said = 5_000_000, 10
    archive = zipped(("ml-100k/a", bytes(true)), packed=True)
    lie = archive.replace(true.to_bytes(4, "little"), said.to_bytes(4, "little"))
    assert lie != archive
    with pytest.raises(zipfile.BadZipFile):
        unpack(lie, tmp_path / "ml-100k")
    assert list(tmp_path.iterdir()) == []
