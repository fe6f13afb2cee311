"""Checksums beside files: what is read is what was written, or an error that names it.

`2026-01-05.parquet` has `2026-01-05.parquet.sha256` beside it, which `sha256sum --check` reads too.
A file without one is refused: no killed process leaves one so.
"""

import hashlib
import re
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import Any

import pandas as pd

from collie_core.files import replacing, sha256
from collie_pipeline.storage.locks import WRITING, locked

LINE = re.compile(r"^([0-9a-f]{64})  ", re.MULTILINE)


def sidecar(path: Path) -> Path:
    """Return where the SHA-256 of the file at `path` is kept."""
    return path.with_name(f"{path.name}.sha256")


def recorded(path: Path) -> tuple[str, ...]:
    """Return each SHA-256 that the file at `path` may have: two while it is replaced, else one."""
    try:
        return tuple(LINE.findall(sidecar(path).read_text("utf-8", "replace")))
    except FileNotFoundError:
        return ()


@contextmanager
def recording(path: Path) -> Iterator[Path]:
    """Give a temporary file that takes the place of `path`, with its SHA-256 beside it.

    The hash of the new file is added before it takes its place, and that of the old one is removed
    after: whenever the process is killed, what is there is as recorded. One process at a time
    writes in a folder, so temporary files of `path` that are there are of killed ones, and go.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with locked(path.parent / WRITING):
        for left in path.parent.glob(f".*{path.name}.*.tmp"):
            left.unlink()
        with replacing(path) as temporary:
            yield temporary
            digest = sha256(temporary)
            _record(path, [*recorded(path), digest])
        _record(path, [digest])


def _record(path: Path, digests: Sequence[str]) -> None:
    """Let the file at `path` have one of `digests`."""
    content = "".join(f"{digest}  {path.name}\n" for digest in dict.fromkeys(digests)).encode()
    beside = sidecar(path)
    if not beside.exists() or beside.read_bytes() != content:
        with replacing(beside) as temporary:
            temporary.write_bytes(content)


def verify(path: Path) -> str:
    """Return the SHA-256 of the file at `path`, which is one that was recorded.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is not what was written; the message names the file and both hashes.
    """
    return _verified(path, sha256)


def _verified(path: Path, hashed: Callable[[Path], str]) -> str:
    permitted: tuple[str, ...] | None = None
    while (now := recorded(path)) != permitted:  # again if it was replaced while it was read
        permitted = now
        if (digest := hashed(path)) in permitted:
            return digest
    raise ValueError(_damage(path, digest, now))


def _damage(path: Path, digest: str, permitted: Collection[str]) -> str:
    is_rule = f"must be {' or '.join(permitted)}" if permitted else "and no other is recorded"
    return (
        f"{path} is not what was written: its sha256 is {digest}, {is_rule}: materialise it again, "
        "or use `collie run --force` for its week"
    )


def read_table(path: Path, **selection: Any) -> pd.DataFrame:
    """Return the table in the Parquet file at `path`, made of the very bytes that were verified.

    Parameters
    ----------
    path : the file.
    selection : `columns` and `filters` of `pandas.read_parquet`, and `read_dictionary` of pyarrow.

    Raises
    ------
    FileNotFoundError, ValueError
        See `verify`.
    """
    content = b""

    def hashed(path: Path) -> str:
        nonlocal content
        content = path.read_bytes()
        return hashlib.sha256(content).hexdigest()

    _verified(path, hashed)
    table: pd.DataFrame = pd.read_parquet(BytesIO(content), **selection)
    return table


def is_sound(path: Path) -> bool:
    """Return whether the file at `path` is there and as recorded.

    A process looks once, and again when the file's time, size or record changes: sensors ask often.
    """
    try:
        state = path.stat()
    except FileNotFoundError:
        return False
    return _is_sound(path, (state.st_ino, state.st_size, state.st_mtime_ns), recorded(path))


@lru_cache(maxsize=4096)
def _is_sound(path: Path, state: tuple[int, int, int], permitted: tuple[str, ...]) -> bool:  # noqa: ARG001 - the key
    return sha256(path) in permitted
