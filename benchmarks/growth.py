"""How what a subject takes grows with the number of rows."""

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from benchmarks import data
from benchmarks.verdicts import Result


@dataclass(frozen=True)
class Growth:
    """The least-squares exponent of CPU seconds or MiB of ours in rows, and what is asked."""

    name: str
    measure: Literal["cpu", "mib"]
    most: float
    points: tuple[tuple[int, float], ...]

    @property
    def exponent(self) -> float:
        """The slope on logarithmic axes; NaN with fewer than two sizes."""
        if len(self.points) < 2:
            return math.nan
        rows, taken = np.log(np.array(self.points, dtype=float)).T
        return float(np.polyfit(rows, taken, 1)[0])

    def __str__(self) -> str:
        unit = {"cpu": "CPU seconds", "mib": "MiB"}[self.measure]
        missed = " MISSED" if self.exponent > self.most else ""
        taken = ", ".join(f"{each:.3g}" for _, each in self.points)
        start = f"{self.name:18} {unit} ~ rows^{self.exponent:.2f}"
        return f"{start}, asked at most {self.most:.2f}{missed} ({taken})"


def growths(results: Iterable[Result]) -> Iterator[Growth]:
    """Yield the growth of each subject that has one."""
    of = defaultdict[str, list[Result]](list)
    for result in results:
        if result.subject.growth and result.taken["ours"].cpu:
            of[result.name].append(result)
    for name, each in of.items():
        asked: Mapping[Literal["cpu", "mib"], float] = each[0].subject.growth
        for measure, most in asked.items():
            yield Growth(name, measure, most, tuple(_point(result, measure) for result in each))


def _point(result: Result, measure: Literal["cpu", "mib"]) -> tuple[int, float]:
    taken = result.taken["ours"]
    seen = taken.middle("cpu") if measure == "cpu" else max(1.0, *taken.spread("mib"))
    return data.rows(result.dataset), seen
