"""The results as a table, as JSON and as a picture."""

import json
import platform
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.harness import Taken
from benchmarks.subjects import Subject

SHOWN = ("numpy", "torch", "collie", "implicit", "lightfm", "scipy", "pandas", "h5py")
HEAD = "  ".join(
    (f"{'what':16} {'data':12} {'who':9} {'CPU s (least..most)':>24}", "clock s    MiB MAP@10")
)


@dataclass(frozen=True)
class Result:
    """What every side took for a subject on a data set."""

    name: str
    subject: Subject
    dataset: str
    taken: Mapping[str, Taken]

    def ratio(self, side: str) -> float:
        """Return the CPU seconds of `side` over ours: above 1, ours is faster."""
        return self.taken[side].middle("cpu") / self.taken["ours"].middle("cpu")

    def lines(self) -> Iterator[str]:
        """Yield the rows of the table."""
        for side, taken in self.taken.items():
            start = f"{self.name:18} {self.dataset:12} {side:9}"
            if taken.missing:
                yield f"{start} {taken.missing}"
                continue
            least, most = taken.spread("cpu")
            seconds = f"{taken.middle('cpu'):.3f} ({least:.3f}..{most:.3f})"
            row = f"{start} {seconds:>26} {taken.middle('wall'):8.3f} {taken.middle('mib'):6.0f}"
            value = f" {taken.middle('value'):6.4f}" if taken.value else " " * 7
            yield row + value + self._verdict(side)

    def _verdict(self, side: str) -> str:
        least = self.subject.targets.get(side)
        if least is None:
            return ""
        ratio = self.ratio(side)
        return f"  {ratio:6.2f}x, asked {least:.2f}{'' if ratio >= least else ' MISSED'}"


def versions(results: list[Result]) -> dict[str, dict[str, str]]:
    """Return the versions of what matters, by side."""
    return {
        side: {name: taken.versions[name] for name in SHOWN if name in taken.versions}
        for result in results
        for side, taken in result.taken.items()
        if taken.versions
    }


def write_json(results: list[Result], path: Path, threads: int) -> None:
    """Write all runs, with the machine and the versions."""
    rows = []
    for result in results:
        sides = {side: asdict(taken) for side, taken in result.taken.items()}
        for taken in sides.values():
            del taken["versions"]
        targets = dict(result.subject.targets)
        rows.append({"what": result.name, "data": result.dataset, "asked": targets, "by": sides})
    about = {"machine": platform.platform(), "python": platform.python_version()}
    whole = about | {"threads": threads, "versions": versions(results), "results": rows}
    path.write_text(json.dumps(whole, indent=1))


def write_svg(results: list[Result], path: Path) -> None:
    """Draw how many times as long each peer takes, with a mark where it was asked to be."""
    bars = [
        (f"{result.name}, {result.dataset}: {side}", result.ratio(side), least)
        for result in results
        for side, least in result.subject.targets.items()
        if side in result.taken and result.taken[side].cpu and result.taken["ours"].cpu
    ]
    most = max((max(ratio, least) for _, ratio, least in bars), default=1.0)
    parts = [_bar(row, 300 / most, *bar) for row, bar in enumerate(bars)]
    size = f'width="680" height="{20 * len(bars) + 30}"'
    title = '<text x="10" y="15">CPU seconds of a peer over ours; the line is what is asked</text>'
    body = "\n".join([title, *parts])
    style = 'font-family="sans-serif" font-size="12"'
    path.write_text(f'<svg xmlns="http://www.w3.org/2000/svg" {size} {style}>\n{body}\n</svg>\n')


def _bar(row: int, scale: float, label: str, ratio: float, least: float) -> str:
    top, colour = 20 * row + 25, "#2a7" if ratio >= least else "#c63"
    mark = 290 + scale * least
    return (
        f'<text x="280" y="{top + 12}" text-anchor="end">{label}</text>'
        f'<rect x="290" y="{top}" width="{scale * ratio:.1f}" height="15" fill="{colour}"/>'
        f'<path d="M{mark:.1f} {top - 2}v19" stroke="black"/>'
        f'<text x="{296 + scale * max(ratio, least):.1f}" y="{top + 12}">{ratio:.2f}</text>'
    )
