"""What the runs say of each target: how one side compares with another, and if that will do."""

import math
import statistics
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from benchmarks.harness import Points, Taken
from benchmarks.subjects import Subject, Target

SLACK = 0.0005  # of MAP@10: so near to its best, a side has reached it


@dataclass(frozen=True)
class Verdict:
    """How many times as much as `target.beside` its side took, in the middle, and at the ends.

    The quotients are of two turns that came one after the other. NaN where a side has none; 0 if
    ours never reached what the side did.
    """

    target: Target
    asked: float
    middle: float
    low: float
    high: float
    note: str = ""

    @property
    def is_missed(self) -> bool:
        """Whether it was measured, and is less than what is asked."""
        return self.middle < self.asked

    def __str__(self) -> str:
        unit = {"cpu": "", "mib": " of the memory", "reach": ""}[self.target.measure]
        beside = "" if self.target.beside == "ours" else f" of {self.target.beside}"
        spread = f" ({self.low:.2f}..{self.high:.2f})" if self.low < self.high else ""
        ratio = f"{self.middle:.2f}x" if self.middle else "never"
        text = f"{self.note}{ratio}{unit}{beside}{spread}"
        asked = f", asked {self.asked:.2f}" if self.asked else ""
        return text + asked + (" MISSED" if self.is_missed else "")


@dataclass(frozen=True)
class Result:
    """What every side took for a subject on a data set."""

    name: str
    subject: Subject
    dataset: str
    taken: Mapping[str, Taken]

    @property
    def verdicts(self) -> Iterator[Verdict]:
        """What is said of each target whose two sides ran."""
        for target in self.subject.targets:
            side, other = self.taken.get(target.side), self.taken[target.beside]
            if side is not None and side.cpu and other.cpu:
                yield _verdict(target, target.least_on(self.dataset), side, other)


def _verdict(target: Target, asked: float, side: Taken, other: Taken) -> Verdict:
    if target.measure == "reach":
        return _reached(target, asked, side, other)
    pairs = zip(getattr(side, target.measure), getattr(other, target.measure), strict=False)
    if target.measure == "mib":
        pairs = zip([max(side.mib)], [max(other.mib)], strict=True)
    quotients = [float(a / b) if b > 0 else math.inf for a, b in pairs]
    return Verdict(target, asked, statistics.median(quotients), min(quotients), max(quotients))


def _reached(target: Target, asked: float, side: Taken, other: Taken) -> Verdict:
    """Return how long ours takes to what the side can reach, by the clock, in the first race."""
    best = max(value for *_, value in side.curve[0]) - SLACK
    theirs, ours = until(side.curve[0], best), until(other.curve[0], best)
    if ours is None or theirs is None:  # theirs is there: it was the best of the same curve
        most = max(value for *_, value in other.curve[0])
        note = f"{best:.4f} in {theirs[1] if theirs else math.nan:.2f} s, ours {most:.4f} at best: "
        return Verdict(target, asked, 0.0, 0.0, 0.0, note)
    note = (
        f"{best:.4f} in {theirs[1]:.2f} s, ours in {ours[1]:.2f} s "
        f"(CPU {theirs[0]:.2f} and {ours[0]:.2f}): "
    )
    return Verdict(target, asked, *[theirs[1] / ours[1]] * 3, note)


def until(curve: Points, value: float) -> tuple[float, float] | None:
    """Return the seconds of fitting, of CPU and of the clock, until `value` is reached, if ever."""
    return next(((cpu, wall) for cpu, wall, reached in curve if reached >= value), None)
