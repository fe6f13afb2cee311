"""A file's content in one hash, read again only when the file looks changed."""

import hashlib
from functools import lru_cache
from pathlib import Path

Signature = tuple[Path, int, int, int]


def signature(path: Path) -> Signature:
    """Return `path` with what a write changes: its inode, its size and when it was written."""
    stat = path.stat()
    return path, stat.st_ino, stat.st_size, stat.st_mtime_ns


def file_digest(path: Path) -> str:
    """Return the sha256, in hex, of the bytes at `path`."""
    return _digest(signature(path))


@lru_cache(maxsize=4096)
def _digest(signed: Signature) -> str:
    with signed[0].open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
