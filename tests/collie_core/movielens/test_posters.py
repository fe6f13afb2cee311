import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pandas as pd
import pytest

from collie_core.movielens import read_movielens_posters_df

CONTENT = b"item_id,url\n1,https://x/1.jpg\n3,\n2,http://x/2.jpg?a=1&b=2\n"
NOWHERE = "http://127.0.0.1:9/posters.csv"


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file in a cache folder that does not exist yet."""
    monkeypatch.setenv("DATA_PATH", str(tmp_path / "cache"))
    return tmp_path / "cache" / "movielens_posters.csv"


class Posters(BaseHTTPRequestHandler):
    """Gives the content of the server, or says it is longer than what it sends."""

    def do_GET(self) -> None:
        content: bytes = self.server.content  # type: ignore[attr-defined]
        self.send_response(404 if self.path == "/missing" else 200)
        self.send_header("Content-Length", str(len(content) + 99 * (self.path == "/cut")))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[ThreadingHTTPServer]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Posters) as server:
        server.content = CONTENT  # type: ignore[attr-defined]
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server
        server.shutdown()


def address(server: ThreadingHTTPServer, path: str = "/posters.csv") -> str:
    return f"http://127.0.0.1:{server.server_port}{path}"


def test_posters_are_downloaded_once(cache: Path, server: ThreadingHTTPServer) -> None:
    posters = read_movielens_posters_df(url=address(server))
    assert posters["item_id"].tolist() == [1, 3, 2]
    assert posters["item_id"].dtype == "int64"
    assert posters["url"].fillna("none").tolist() == [
        "https://x/1.jpg", "none", "http://x/2.jpg?a=1&b=2",
    ]  # fmt: skip
    assert cache.read_bytes() == CONTENT
    pd.testing.assert_frame_equal(read_movielens_posters_df(url=NOWHERE), posters)
    assert [path.name for path in cache.parent.iterdir()] == [cache.name]


def test_file_in_the_cache_is_read_and_other_columns_are_left_out(cache: Path) -> None:
    cache.parent.mkdir()
    cache.write_text("url,title,item_id\nhttps://x,Film,7\n")
    posters = read_movielens_posters_df(url=NOWHERE)
    assert posters.columns.tolist() == ["item_id", "url"]
    assert posters.to_numpy().tolist() == [[7, "https://x"]]


def test_without_network_the_message_says_where_to_put_the_file(cache: Path) -> None:
    said = (
        r"cannot download http://127\.0\.0\.1:9/.*put it at .*movielens_posters\.csv, or set DATA"
    )
    with pytest.raises(ConnectionError, match=said):
        read_movielens_posters_df(url=NOWHERE)
    assert not cache.parent.exists()


@pytest.mark.parametrize("path", ["/missing", "/cut"])
def test_download_that_fails_half_way_leaves_nothing(
    cache: Path, server: ThreadingHTTPServer, path: str
) -> None:
    with pytest.raises(ConnectionError, match="cannot download"):
        read_movielens_posters_df(url=address(server, path))
    assert not cache.exists()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<html>Please log in to this network</html>",
        b"item_id,url\n",
        b"item_id,address\n1,https://x\n",
        b"item_id,url\n0,https://x\n1,https://y\n",
        b"item_id,url\n1,https://x\n1,https://y\n",
        b"item_id,url\none,https://x\n",
        b"item_id,url\n,https://x\n",
        b"item_id,url\n1.5,https://x\n",
        b'item_id,url\n1,"https://x\n',
        b"item_id,url\n1,https://\xff\xfe\n",
        b"\x89PNG\r\n\x1a\n\x00\x00",
    ],
)
def test_other_content_is_refused_and_not_kept(
    cache: Path, server: ThreadingHTTPServer, content: bytes
) -> None:
    server.content = content  # type: ignore[attr-defined]
    said = r"posters\.csv .*, must be a CSV file with an item_id from 1 on, each once, and a url"
    with pytest.raises(ValueError, match=said):
        read_movielens_posters_df(url=address(server))
    assert not cache.exists()
    cache.parent.mkdir(exist_ok=True)
    cache.write_bytes(content)
    with pytest.raises(ValueError, match=said):
        read_movielens_posters_df(url=NOWHERE)
