"""One command at a time makes a week: the next waits, says so, and goes on when it is over."""

import fcntl
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from rich.console import Console

from collie_pipeline.weeks import Week

LOCKS = ".locks"


@contextmanager
def making(root: Path, week: Week, console: Console) -> Iterator[bool]:
    """Hold `week` of the project in `root` for this process; give whether it had to wait for it.

    Who holds it is said. A process that is killed holds nothing.
    """
    path = root / LOCKS / f"{week.key}.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+") as file:
        waited = not _take(file)
        if waited:
            file.seek(0)
            who = file.read().strip() or "another process"
            console.print(f"{week.key} is being made by {who}: waiting until it is done")
            fcntl.flock(file, fcntl.LOCK_EX)
        file.truncate(0)
        file.write(f"process {os.getpid()} on {socket.gethostname()}")
        file.flush()
        yield waited


def _take(file: TextIO) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
