"""Write where there is no room left, and look at what is left; prints a line of JSON a try.

python full_disk.py space FOLDER    in a file system of a few MiB that is mounted at FOLDER
python full_disk.py size FOLDER     where no file may be larger than a limit
python full_disk.py denied FOLDER   as a user who may not write there
"""

import errno
import json
import os
import resource
import shutil
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

from tracing import in_child
from writers import WRITERS, Writer

WITHOUT_ROOM = {"prune", "duckdb"}  # needs none; raises an error of its own, see its tests
ROOMS = (0, 12)  # KiB
NO_ROOM = (0,)
NOBODY = 65534


def fill(folder: Path, room: int) -> None:
    """Leave `room` KiB in the file system of `folder`."""
    with suppress(OSError), (folder / "filler").open("wb", buffering=0) as file:
        while True:
            file.write(b"\0" * 4096)
    os.truncate(folder / "filler", max(0, (folder / "filler").stat().st_size - room * 1024))


def limit(folder: Path, room: int) -> None:  # noqa: ARG001 - as `fill`
    """Let no file be larger than `room` KiB."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (room * 256, resource.RLIM_INFINITY))


def deny(folder: Path, room: int) -> None:  # noqa: ARG001 - as `fill`
    """Go on as a user who may read and not write."""
    if os.getuid() == 0:
        os.setuid(NOBODY)
    else:
        for path in (folder, *folder.rglob("*")):
            path.chmod(path.stat().st_mode & ~0o222)


# how, what is raised, and with how much room
HINDRANCES: dict[str, tuple[Callable[[Path, int], None], tuple[int, ...], tuple[int, ...]]] = {
    "space": (fill, (errno.ENOSPC,), ROOMS),
    "size": (limit, (errno.EFBIG,), ROOMS),
    "denied": (deny, (errno.EACCES, errno.EPERM), NO_ROOM),
}


def attempt(writer: Writer, kind: str, root: Path, room: int) -> None:
    """Write version 1 with too little room; say what was raised."""
    hinder, expected, _ = HINDRANCES[kind]
    hinder(root.parent, room)
    try:
        writer.write(root, 1)
    except OSError as error:
        fault = None if error.errno in expected else "another error"
        named = error.filename is not None and str(root) in str(error.filename)
        print(json.dumps({"said": str(error), "fault": fault if named else "no file is named"}))
    else:
        print(json.dumps({"said": "written", "fault": None}))
    sys.stdout.flush()


def after(writer: Writer, root: Path) -> None:
    """Find what was there, whole and alone; and write again when there is room."""
    found = writer.found(root)
    if found not in (0, 1):
        raise ValueError(f"version {found} is there, must be 0 or 1")
    if left := [str(path) for path in root.rglob("*.tmp")]:
        raise ValueError(f"left behind: {left}")
    for path in root.rglob("*"):
        path.chmod(path.stat().st_mode | 0o200)
    (root.parent / "filler").unlink(missing_ok=True)
    writer.write(root, 1)
    if writer.found(root) != 1:
        raise ValueError("was not written with room")


def main(kind: str, folder: Path) -> None:
    """Try every writer in every room."""
    tried = {name: writer for name, writer in WRITERS.items() if name not in WITHOUT_ROOM}
    for name, writer in tried.items():  # what is imported late is imported with room
        writer.write(folder / "first" / name, 0)
        shutil.rmtree(folder / "first")
    for name, writer in tried.items():
        for room in HINDRANCES[kind][2]:
            root = folder / name / str(room)
            writer.write(root, 0)
            print(json.dumps({"case": f"{name} with {room} KiB"}), flush=True)
            attempted = in_child(partial(attempt, writer, kind, root, room))
            ended = in_child(partial(after, writer, root))
            print(json.dumps({"tried": attempted, "after": ended}), flush=True)
            shutil.rmtree(folder / name)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
