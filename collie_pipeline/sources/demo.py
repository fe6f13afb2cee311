"""The source `demo`: MovieLens-like, generated, seeded, offline, with tastes to be learnt."""

import hashlib

import numpy as np
import pandas as pd

from collie_pipeline.sections import Mode, TimeUnit
from collie_pipeline.settings import Settings
from collie_pipeline.sources.by_week import bounded, number_of, week_numbered
from collie_pipeline.sources.demo_world import FIRST, names, ratings_by_week, world
from collie_pipeline.weeks import Week

VERSION = 1  # of what is generated: raise it with any change there


class DemoSource:
    """Generated weeks; what a week holds does not depend on how many are asked for."""

    name: str = "demo"
    grows: bool = False
    mode: Mode = "events"
    time_unit: TimeUnit = "s"

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def span(self) -> tuple[Week, Week]:
        """See `Source`."""
        last = week_numbered(number_of(FIRST) + self.settings.demo.weeks - 1)
        return bounded(FIRST, last, self.settings)

    def interactions(self, week: Week) -> pd.DataFrame:
        """See `Source`; raises `ValueError` for a week that is not generated."""
        return ratings_by_week(self.settings.demo)[self._number(week)].copy()

    def items(self, week: Week) -> pd.DataFrame:
        """See `Source`."""
        here = world(self.settings.demo)
        return here.items[here.item_arrivals <= self._number(week)].reset_index(drop=True)

    def users(self, week: Week) -> pd.DataFrame:
        """See `Source`."""
        known = np.flatnonzero(world(self.settings.demo).user_arrivals <= self._number(week))
        return pd.DataFrame({"user_id": names("user", known)}, dtype="str")

    def fingerprint(self, week: Week) -> str:
        """See `Source`."""
        shape = self.settings.demo.model_dump_json(exclude={"weeks"})
        return hashlib.sha256(f"{VERSION} {shape} {week.key}".encode()).hexdigest()

    def _number(self, week: Week) -> int:
        number = number_of(week) - number_of(FIRST)
        if not 0 <= number < self.settings.demo.weeks:
            last = week_numbered(number_of(FIRST) + self.settings.demo.weeks - 1)
            raise ValueError(
                f"week {week.key} is not generated, must be {FIRST.key} to {last.key}: "
                "raise demo.weeks"
            )
        return number
