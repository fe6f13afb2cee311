"""What is fetched from the network: over TLS to the end, and no more than was agreed on."""

import urllib.request
from http.client import HTTPException
from typing import Any
from urllib.parse import urlsplit

HERE = {"localhost", "127.0.0.1", "::1"}
TIMEOUT_SECONDS = 30


def fetched(url: str, most_bytes: int, way_out: str) -> bytes:
    """Return the bytes at `url`.

    Parameters
    ----------
    most_bytes : how many there may be; no more are read.
    way_out : what to do where they cannot be fetched.

    Raises
    ------
    ConnectionError
        If they cannot be fetched.
    ValueError
        If there are more, or `url`, or where it leads, is neither https nor on this machine.
    """
    _refuse_unsafe(url)
    opener = urllib.request.build_opener(_SafeRedirects)
    try:
        with opener.open(url, timeout=TIMEOUT_SECONDS) as reply:
            content: bytes = reply.read(most_bytes + 1)
            if len(content) <= most_bytes and reply.length:
                raise ConnectionError(f"it ends {reply.length} bytes early")
    except (OSError, HTTPException) as error:
        raise ConnectionError(f"cannot download {url} ({error}): {way_out}") from error
    if len(content) > most_bytes:
        raise ValueError(f"{url} has more than {most_bytes} bytes, must be at most that: {way_out}")
    return content


class _SafeRedirects(urllib.request.HTTPRedirectHandler):
    """Follows no redirect to where anybody on the way could change what is sent."""

    def redirect_request(
        self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str
    ) -> urllib.request.Request | None:
        _refuse_unsafe(newurl)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def is_safe(url: str) -> bool:
    """Return whether nobody on the way to `url` can listen or change anything.

    That is https, or http on this machine.
    """
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        return False
    return bool(host) and (parts.scheme == "https" or (parts.scheme == "http" and host in HERE))


def _refuse_unsafe(url: str) -> None:
    if not is_safe(url):
        raise ValueError(f"{url} is not https, must be: anybody on the way could change the file")
