"""Files that are there whole or not at all."""

import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path


@contextmanager
def written_aside(*paths: Path) -> Iterator[list[Path]]:
    """Give a temporary file beside each of `paths`; all take their places when the block ends well.

    If it raises, none does, and the temporary files are removed.

    Raises
    ------
    FileNotFoundError
        If a folder does not exist.
    """
    with ExitStack() as undo:
        asides = []
        for path in paths:
            asides.append(_aside(path))
            undo.callback(asides[-1].unlink, missing_ok=True)
        yield asides
        for aside in asides:
            flush(aside)
        for aside, path in zip(asides, paths, strict=True):
            aside.replace(path)
        for folder in {path.parent for path in paths}:
            flush(folder)


def _aside(path: Path) -> Path:
    if not path.parent.is_dir():
        raise FileNotFoundError(f"{path.parent} is not a folder: make it before writing {path}")
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent)
    os.close(handle)
    mask = os.umask(0)
    os.umask(mask)
    Path(name).chmod(0o666 & ~mask)  # mkstemp makes files for the owner alone
    return Path(name)


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a temporary file that takes the place of `path`, whose folder is made if need be."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with written_aside(path) as [temporary]:
        yield temporary


def flush(path: Path) -> None:
    """Wait until `path`, a file or a folder, is on disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sha256(path: Path) -> str:
    """Return the SHA-256 of the file at `path`, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
