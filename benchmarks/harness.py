"""Sides of a benchmark that take turns, each in a process of its own, and what they took."""

import json
import os
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from benchmarks import data, peers

HERE = Path(__file__).parent
Points = list[tuple[float, float, float]]  # CPU seconds, seconds, MAP@10
# of each side: its file, and its environment if that is not this one
SIDES: Mapping[str, tuple[str, str | None]] = {
    "ours": ("collies.py", None),
    "bare": ("bare.py", None),
    "drawn": ("bare.py", None),
    "original": ("collies.py", "original"),
    "implicit": ("implicits.py", "implicit"),
    "als": ("implicits.py", "implicit"),
    "bpr": ("implicits.py", "implicit"),
    "lightfm": ("lightfms.py", "lightfm"),
    "lenskit": ("lenskits.py", "lenskit"),
    "rectools": ("metrics_of_rectools.py", "rectools"),
    "rectools_lists": ("metrics_of_rectools.py", "rectools"),
    "minimal": ("collies.py", None),
    "original_minimal": ("collies.py", "original"),
    "spotlight": ("spotlights.py", "spotlight"),
}
LIMIT = 900  # seconds that one answer of a side may take
THREADS = (
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "NUMBA_NUM_THREADS",
    "LK_NUM_THREADS",
)


@dataclass
class Taken:
    """What the runs of one side took: seconds of CPU and of the clock, MiB above the data.

    The memory is also that of a first run that is not counted: later ones find some that is free.
    """

    cpu: list[float] = field(default_factory=list)
    wall: list[float] = field(default_factory=list)
    mib: list[float] = field(default_factory=list)
    value: list[float] = field(default_factory=list)
    curve: list[Points] = field(default_factory=list)
    versions: dict[str, str] = field(default_factory=dict)
    missing: str | None = None

    def add(self, run: Mapping[str, Any], *, is_counted: bool) -> None:
        """Take in one run."""
        for name, number in run.items():
            if is_counted or name == "mib":
                getattr(self, name).append(number)

    def middle(self, name: str) -> float:
        """Return the median of "cpu", "wall", "mib" or "value"; NaN without runs."""
        values = getattr(self, name)
        return statistics.median(values) if values else float("nan")

    def spread(self, name: str) -> tuple[float, float]:
        """Return the least and the most; NaN without runs."""
        values = getattr(self, name) or [float("nan")]
        return min(values), max(values)


class Side:
    """A worker, started and ready once it is made."""

    def __init__(self, name: str, work: str, path: Path, threads: int) -> None:
        file, peer = SIDES[name]
        python = sys.executable if peer is None else peers.interpreter(peer)
        command = [python, HERE / "worker.py", HERE / "sides" / file, work, path]
        self.log = data.folder() / f"{work}-{name}.log"
        pinned = dict.fromkeys(THREADS, str(threads))
        pinned["PYTHONPATH"] = str(HERE.parent) if peer is None else ""
        pinned["ARROW_DEFAULT_MEMORY_POOL"] = "system"  # as importing collie_pipeline first does
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                list(map(str, command)),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                env=os.environ | pinned,
            )
        try:
            self.versions: dict[str, str] = self._answer()["versions"]
        except RuntimeError:
            self.__exit__()
            raise

    def run(self) -> dict[str, Any]:
        """Return what one run takes."""
        assert self.process.stdin is not None  # noqa: S101 - it is a pipe, for mypy
        with suppress(BrokenPipeError):  # then there is no answer either
            print(file=self.process.stdin, flush=True)
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        assert self.process.stdout is not None  # noqa: S101 - it is a pipe, for mypy
        limit, began = threading.Timer(LIMIT, self.process.kill), time.monotonic()
        limit.start()
        line = self.process.stdout.readline()
        limit.cancel()
        if not line and time.monotonic() - began >= LIMIT:
            raise RuntimeError(f"took more than {LIMIT} s, and was ended")
        if not line:
            last = (self.log.read_text().strip().splitlines() or ["nothing said"])[-1]
            raise RuntimeError(f"{last[:150]} (see {self.log})")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        with suppress(BrokenPipeError):
            self.process.communicate()


def alternated(works: Mapping[str, str], dataset: str, runs: int, threads: int) -> dict[str, Taken]:
    """Return what each side took for its work in `runs` rounds, in which each has one turn.

    A first round is not counted, unless `runs` is 0. All sides are ready, with their data, before
    it. One that fails, or takes more than a quarter of an hour, is left out from then on.
    """
    taken = {name: Taken() for name in works}
    reason, ready = data.missing_reason(dataset), dict[str, Side]()
    try:
        path = data.folder() if reason else data.made(dataset)
    except (OSError, ValueError, MemoryError) as error:
        reason = f"failed: {error}"
    if reason:
        return {name: Taken(missing=reason) for name in works}
    try:
        for name, work in works.items():
            taken[name].missing = (peer := SIDES[name][1]) and peers.missing_reason(peer)
            if taken[name].missing is None:
                _started(ready, taken[name], name, work, path, threads)
        for turn in range(runs + 1):
            for name in list(ready):
                _turn(ready, taken[name], name, is_counted=turn > 0 or runs == 0)
    finally:
        for side in ready.values():
            side.__exit__()
    return taken


def _started(ready: dict[str, Side], taken: Taken, name: str, *of: Any) -> None:
    try:
        ready[name] = Side(name, *of)
        taken.versions = ready[name].versions
    except RuntimeError as error:
        taken.missing = f"failed: {error}"


def _turn(ready: dict[str, Side], taken: Taken, name: str, *, is_counted: bool) -> None:
    try:
        run = ready[name].run()
    except RuntimeError as error:
        taken.missing = f"failed: {error}"
        ready.pop(name).__exit__()
        return
    taken.add(run, is_counted=is_counted)
