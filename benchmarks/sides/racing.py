"""How good a model is after so many seconds of fitting, for any side; nothing but NumPy."""

import time
from pathlib import Path
from typing import Any

from ranking import Judge, Score  # beside this file


class Enough(Exception):  # noqa: N818 - nothing is wrong
    """Ends a fit that would go on."""


class Race:
    """Clocks that run while a model is fitted, and stand still while it is judged.

    What is judged is the test, after every epoch: a race for the same finish, and no claim of how
    good a model is whose epochs nobody has chosen.

    Parameters
    ----------
    path : the data set.
    seconds, laps : fitting ends after so many by the clock, or so many epochs.
    """

    def __init__(self, path: Path, seconds: str, laps: str) -> None:
        self.judge, self.seconds, self.laps = Judge(path), float(seconds), int(laps)
        self.points: list[list[float]] = []
        self._taken = [0.0, 0.0]

    def start(self) -> None:
        """Let the clocks run."""
        self._since = [time.process_time(), time.perf_counter()]

    def lap(self, score: Score) -> bool:
        """Note what was reached, let the clocks run on, and return whether it is enough."""
        now = time.process_time(), time.perf_counter()
        self._taken = [
            taken + each - since
            for taken, each, since in zip(self._taken, now, self._since, strict=True)
        ]
        self.points.append([*self._taken, self.judge.mapk(score)])
        self.start()
        return self._taken[1] >= self.seconds or len(self.points) >= self.laps

    def lap_or_stop(self, score: Score) -> None:
        """As `lap`, for a side that asks nobody whether to go on.

        Raises
        ------
        Enough
            If it is.
        """
        if self.lap(score):
            raise Enough

    def result(self) -> dict[str, Any]:
        """Return the points [CPU seconds, seconds, MAP@10], and what they took and reached."""
        cpu, wall = self._taken
        best = max(value for _, _, value in self.points)
        return {"curve": self.points, "cpu": cpu, "wall": wall, "value": best}
