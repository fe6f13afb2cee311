"""Folders in which publications are put together, and what dead processes left behind."""

import shutil
import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from collie_core.files import make_folder, named
from collie_pipeline.storage.locks import EXPORTING, WRITING, is_held, locked
from collie_pipeline.storage.pointer import LOCK
from collie_pipeline.storage.publication import HOME

CHECKPOINTS = "checkpoints"
SILENT_SECONDS = 24 * 3600  # a writer that lives has written something since


@contextmanager
def staging(root: Path) -> Iterator[Path]:
    """Give a folder beside the publications, which is gone when the block ends unless renamed.

    A lock beside it says, for as long as this process lives, that it is not garbage.
    """
    home, token = root / HOME, uuid.uuid4().hex
    folder, lock = home / f".{token}.tmp", home / f".{token}.lock"
    with ExitStack() as stack:
        with locked(home / LOCK):  # so that nobody collects the folder before it has its lock
            stack.enter_context(locked(lock))
            stack.callback(lock.unlink, missing_ok=True)
            folder.mkdir()
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        try:
            yield folder
        except OSError as error:
            raise named(error, home) from None


def take_away(folder: Path) -> None:
    """Remove `folder`, in one step for whoever looks."""
    hidden = folder.with_name(f".{uuid.uuid4().hex}.tmp")
    folder.rename(hidden)
    shutil.rmtree(hidden)


def collect(root: Path) -> list[Path]:
    """Remove what dead processes left behind under `root`, and return what that was.

    A staged folder is garbage when nobody holds its lock. Other temporary files are when nothing
    was written to them for a day and nobody holds the lock of a folder that they lie in, which
    tells a writer that lives whatever becomes of the clock. Checkpoints go with their trainings.
    """
    home = root / HOME
    make_folder(home)
    with locked(home / LOCK):
        garbage = [*_abandoned(home), *_silent(root)]
        for path in garbage:
            remove(path)
    return garbage


def _abandoned(home: Path) -> list[Path]:
    """Return staged folders and their locks, without an owner; the caller holds the lock."""
    locks = [path for path in home.glob(".*.lock") if not is_held(path)]
    owned = {path.stem for path in home.glob(".*.lock")} - {path.stem for path in locks}
    return [*(path for path in home.glob(".*.tmp") if path.stem not in owned), *locks]


def _silent(root: Path) -> Iterator[Path]:
    limit = time.time() - SILENT_SECONDS
    for pattern in ("**/.*.tmp", "**/.*.old"):
        for path in root.glob(pattern):
            if root / CHECKPOINTS in path.parents or _is_at_work(path.parent, root):
                continue
            inside = path.rglob("*") if path.is_dir() else ()
            if all(_written(each) < limit for each in (path, *inside)):
                yield path


def _is_at_work(folder: Path, root: Path) -> bool:
    """Return whether a living process writes in `folder`, or below one between it and `root`."""
    above = (each for each in (folder, *folder.parents) if each.is_relative_to(root))
    locks = (each / name for each in above for name in (WRITING, EXPORTING))
    return any(path.exists() and is_held(path) for path in locks)


def _written(path: Path) -> float:
    """Return when `path` was last written; what is gone by now was written just now."""
    try:
        return path.lstat().st_mtime
    except FileNotFoundError:
        return time.time()


def remove(path: Path) -> None:
    """Remove a file or a folder, if it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
