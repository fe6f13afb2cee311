"""Kill what writes files at every change it makes to one, and look at what is left.

Each point is a fresh folder, a process that dies in it, and another one that reads, does the same
again, and holds the files against those of a process that nobody disturbed.

    python kill_sweep.py [EVERY]     kills at every EVERY-th change; prints one line of JSON a case
"""

import json
import os
import shutil
import sys
import time
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tracing import in_child, refuse_untraced, traced
from writers import WRITERS, Writer

from collie_core.files import sha256

MEMORY = Path("/dev/shm")  # noqa: S108 - a file system in memory: what is flushed is there at once
OF_A_TIME = ("run.json", "history.json")  # they say when, and so no two are alike
CASES = [
    (name, before)
    for name, writer in WRITERS.items()
    for before in ((None, 0) if writer.begins else (0,))
]


def visible(root: Path) -> dict[str, str]:
    """Return the hash of every file that a reader may look at, by path."""
    files = (path for path in sorted(root.rglob("*")) if path.is_file())
    names = ((path, path.relative_to(root)) for path in files)
    return {
        str(name): sha256(path)
        for path, name in names
        if path.name not in OF_A_TIME and not any(part[0] == "." for part in name.parts)
    }


def check(writer: Writer, before: int | None, root: Path, undisturbed: dict[str, str]) -> None:
    """Read, write again, and compare; raises if anything is torn, lost or left."""
    found = writer.found(root)
    if found not in (before, 1):
        raise ValueError(f"a reader finds version {found}, must be {before} or 1")
    writer.write(root, 1)
    if writer.found(root) != 1:
        raise ValueError("writing again did not write")
    if writer.repeats and (now := visible(root)) != undisturbed:
        raise ValueError(f"other files than undisturbed: {now.items() ^ undisturbed.items()}")
    if writer.tidies and (left := [str(path) for path in root.rglob("*.tmp")]):
        raise ValueError(f"left behind by the killed process: {left}")


def sweep(name: str, before: int | None, every: int, home: Path) -> dict[str, Any]:
    """Kill the writer `name`, over version `before`, at every `every`-th change of its."""
    writer, root = WRITERS[name], home / "root"
    template = home / "template"
    template.mkdir()
    if before is not None and in_child(partial(writer.write, template, before)) != "exit 0":
        raise RuntimeError(f"{name} cannot write at all")
    shutil.copytree(template, root)
    ending, changes = traced(partial(writer.write, root, 1), None)
    if ending != "exit 0":
        raise RuntimeError(f"{name} ended with {ending} when nobody killed it")
    undisturbed, failed, killed = visible(root), [], 0
    # a lone kill is midway: DuckDB may get by with a change fewer, and never come to the last
    first = 1 + (len(changes) - 1) % every // 2
    for point in range(first, len(changes) + 1, every):
        shutil.rmtree(root)
        shutil.copytree(template, root)
        ending, made = traced(partial(writer.write, root, 1), point)
        killed += ending == "killed"
        if in_child(partial(check, writer, before, root, undisturbed)) != "exit 0":
            failed.append(f"{point}: {made[-1]}")
    shutil.rmtree(template)
    shutil.rmtree(root)
    return {
        "case": f"{name} over {'nothing' if before is None else 'an older one'}",
        "changes": dict(Counter(changes)),
        "killed": killed,
        "failed": failed,
    }


def sweeps(every: int) -> Iterator[dict[str, Any]]:
    """Yield what each case came to."""
    with TemporaryDirectory(dir=MEMORY if os.access(MEMORY, os.W_OK) else None) as folder:
        for name, writer in WRITERS.items():  # what is imported late is imported once
            writer.write(Path(folder, "first", name), 0)
            writer.found(Path(folder, "first", name))
        for name, before in CASES:
            began = time.monotonic()
            done = sweep(name, before, every, Path(folder))
            yield {**done, "seconds": round(time.monotonic() - began, 2)}


def main() -> None:
    refuse_untraced()
    for each in sweeps(int(sys.argv[1]) if len(sys.argv) > 1 else 1):
        print(json.dumps(each), flush=True)


if __name__ == "__main__":
    main()
