"""Locks that the kernel gives back when their process ends, however it ends: `flock`."""

import fcntl
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from collie_core.files import make_folder

WRITING, EXPORTING = ".lock", ".exports.lock"  # who writes below a folder holds one of its locks
logger = logging.getLogger(__name__)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock at `path` while the block lasts; say so if somebody else has it, and wait.

    The file stays when the lock is given back: removing it would let two processes lock two files
    of one name. A process may not take a lock that it holds.

    Raises
    ------
    OSError
        If the file system has no locks.
    """
    make_folder(path.parent)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        _wait(descriptor, path)
        yield
    finally:
        fcntl.flock(descriptor, fcntl.LOCK_UN)  # a forked child may have the descriptor too
        os.close(descriptor)


def is_held(path: Path) -> bool:
    """Return whether a living process holds the lock at `path`; a file that is gone counts as held.

    Whoever had it then is alive, and was just done with it.
    """
    try:
        descriptor = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def _wait(descriptor: int, path: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        logger.warning("another process holds %s: waiting until it is done", path)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    except OSError as error:
        raise OSError(
            f"{path} cannot be locked ({error.strerror}): keep this folder on a disk of this "
            "machine, or on NFS 4 with its lock service"
        ) from None
