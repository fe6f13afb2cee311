"""The results as a table and as JSON."""

import json
import platform
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from benchmarks.growth import growths
from benchmarks.harness import Taken
from benchmarks.verdicts import Result, Verdict

SHOWN = (
    "numpy",
    "torch",
    "pytorch-lightning",
    "collie",
    "implicit",
    "lightfm",
    "lenskit",
    "rectools",
    "scipy",
    "pandas",
    "h5py",
)
HEAD = "  ".join(
    (f"{'what':18} {'data':13} {'who':16} {'CPU s (least..most)':>24}", "clock s    MiB MAP@10")
)


def lines(result: Result) -> Iterator[str]:
    """Yield the rows of the table: a side, and what is said of it."""
    of: dict[str, list[Verdict]] = {side: [] for side in result.taken}
    for verdict in result.verdicts:
        of[verdict.target.side].append(verdict)
    for side, taken in result.taken.items():
        start = f"{result.name:18} {result.dataset:13} {side:<16}"
        if taken.missing:
            yield f"{start} {taken.missing}"
        if taken.cpu:
            yield f"{start} {_row(taken)}  " + "; ".join(map(str, of[side]))


def _row(taken: Taken) -> str:
    least, most = taken.spread("cpu")
    seconds = f"{taken.middle('cpu'):.3f} ({least:.3f}..{most:.3f})"
    value = f" {taken.middle('value'):6.4f}" if taken.value else " " * 7
    return f"{seconds:>26} {taken.middle('wall'):8.3f} {taken.spread('mib')[1]:6.0f}{value}"


def versions(results: Sequence[Result]) -> dict[str, dict[str, str]]:
    """Return the versions of what matters, by side."""
    return {
        side: {name: taken.versions[name] for name in SHOWN if name in taken.versions}
        for result in results
        for side, taken in result.taken.items()
        if taken.versions
    }


def write_json(results: Sequence[Result], path: Path, threads: int) -> None:
    """Write all runs, with the machine and the versions."""
    about = {"machine": platform.platform(), "python": platform.python_version()}
    grown = [
        {"what": each.name, "of": each.measure, "exponent": each.exponent, "asked": each.most}
        for each in growths(results)
    ]
    rows = [_as_json(result, threads) for result in results]
    whole = about | {"versions": versions(results), "results": rows, "growth": grown}
    path.write_text(json.dumps(whole, indent=1))


def _as_json(result: Result, threads: int) -> Mapping[str, object]:
    sides = {side: asdict(taken) for side, taken in result.taken.items()}
    for taken in sides.values():
        del taken["versions"]
    return {
        "what": result.name,
        "data": result.dataset,
        "threads": result.subject.threads or threads,
        "verdicts": [asdict(verdict) for verdict in result.verdicts],
        "by": sides,
    }
