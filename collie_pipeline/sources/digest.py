"""A file's content in one hash, read again only when the file looks changed."""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
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


@contextmanager
def unchanged(paths: Sequence[Path]) -> Iterator[None]:
    """Let the body read `paths`, and refuse what it read, or its error, if one was written to.

    Raises
    ------
    ValueError
        If a file looks other than before the body.
    """
    before = [signature(path) for path in paths]
    try:
        yield
    finally:  # half a file may also be why the body failed
        for path, signed in zip(paths, before, strict=True):
            if not path.exists() or signature(path) != signed:
                raise ValueError(
                    f"{path} changed while it was read, must stay as it is: write files under "
                    "another name and rename them, then run again"
                )


@lru_cache(maxsize=4096)
def _digest(signed: Signature) -> str:
    with signed[0].open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
