"""Files that are there whole or not at all."""

import hashlib
import os
import shutil
import tempfile
import uuid
import zipfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO

Opened = AbstractContextManager[IO[bytes]]
Create = Callable[[str], Opened]


@dataclass(frozen=True)
class Member:
    """A file in a folder or an archive: its size in bytes, and what opens it for reading."""

    size: int
    opened: Callable[[], Opened]


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
        try:
            yield asides
            for aside in asides:
                flush(aside)
        except OSError as error:
            raise named(error, *paths) from None
        for aside, path in zip(asides, paths, strict=True):
            aside.replace(path)
        for folder in {path.parent for path in paths}:
            flush(folder)


def named(error: OSError, *paths: Path) -> OSError:
    """Return `error` such that it names `paths`, if it names no file: of a full disk, none does."""
    if error.errno is None or error.filename is not None:
        return error
    return OSError(error.errno, os.strerror(error.errno), ", ".join(map(str, paths)))


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
    make_folder(path.parent)
    with written_aside(path) as [temporary]:
        yield temporary


@contextmanager
def new_folder(path: Path) -> Iterator[Create]:
    """Give what creates a file by name, in a folder that takes the place of the one at `path`.

    If the block raises, the old folder stays. The folder above is made if need be.
    """
    path = path.resolve()  # a link goes on pointing where it did
    temporary = path.parent / f".{path.name}.{uuid.uuid4().hex}.tmp"
    replaced = temporary.with_suffix(".old")
    try:
        make_folder(temporary)
        yield lambda name: (temporary / name).open("xb")
        for each in (*temporary.iterdir(), temporary):
            flush(each)
        if path.exists():
            path.rename(replaced)
        temporary.rename(path)
        flush(path.parent)
    finally:
        if replaced.exists() and not path.exists():
            replaced.rename(path)
        shutil.rmtree(temporary, ignore_errors=True)
        shutil.rmtree(replaced, ignore_errors=True)


@contextmanager
def new_archive(path: Path) -> Iterator[Create]:
    """Give what creates a member by name, in a zip file that takes the place of `path`.

    Members are stored as they are, with the date that `ZipInfo` starts from: the same members give
    the same bytes. One is written after the other.
    """
    with replacing(path) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        yield lambda name: archive.open(zipfile.ZipInfo(name), "w", force_zip64=True)


def make_folder(path: Path) -> None:
    """Make the folder `path` and those above it, each on disk before the next is made in it."""
    if path.is_dir():
        return
    make_folder(path.parent)
    path.mkdir(exist_ok=True)  # another process may be as quick
    flush(path.parent)


def folder_members(path: Path) -> dict[str, Member]:
    """Return the files in the folder `path` by name; hidden ones are the system's."""
    files = (file for file in path.iterdir() if file.is_file() and file.name[0] != ".")
    return {file.name: _file_member(file) for file in files}


def _file_member(path: Path) -> Member:
    return Member(path.stat().st_size, lambda: path.open("rb"))


def archive_members(archive: zipfile.ZipFile, size: int) -> dict[str, Member]:
    """Return the members of `archive`, a file of `size` bytes, by name.

    Raises
    ------
    BadZipFile
        If a name is there twice, or a member is not stored as it is: sizes could be invented.
    """
    members: dict[str, Member] = {}
    for info in archive.infolist():
        name = info.filename
        if name in members:
            raise zipfile.BadZipFile(f"{name} is there twice")
        if info.compress_type != zipfile.ZIP_STORED or info.flag_bits & 1 or info.file_size > size:
            raise zipfile.BadZipFile(f"{name} is not stored as it is")
        members[name] = Member(info.file_size, partial(archive.open, info))
    return members


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
