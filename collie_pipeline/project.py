"""What every asset is made from: the settings, the source and its weeks."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path

import dagster as dg

from collie_core.files import sha256
from collie_pipeline.code import code_version
from collie_pipeline.erased import read_erased
from collie_pipeline.model_settings import OF_ONE_STAGE
from collie_pipeline.partitions import weekly
from collie_pipeline.settings import Settings
from collie_pipeline.sources import Source, make_source
from collie_pipeline.weeks import Week, window


@dataclass(frozen=True)
class Project:
    """The pipeline over one source, as the settings have it."""

    settings: Settings

    @property
    def root(self) -> Path:
        """The folder in which everything is kept."""
        return self.settings.root

    @cached_property
    def source(self) -> Source:
        """Where the interactions come from."""
        return make_source(self.settings)

    @cached_property
    def span(self) -> tuple[Week, Week]:
        """The first and the newest week: the source's, within `start` and `end`."""
        return self.source.span()

    @cached_property
    def partitions(self) -> dg.WeeklyPartitionsDefinition:
        """The weeks, as Dagster has them.

        Where more are to come, a week is there once it is over, whether its rows are or not.
        """
        first, last = self.span
        return weekly(first, None if self.goes_on else last)

    @property
    def goes_on(self) -> bool:
        """Whether more weeks are to come.

        They are not after the setting `end`, nor where the newest week is older than a window.
        """
        first, last = self.span
        awaited = window(Week.of(datetime.now(UTC)), self.settings.window_weeks + 1, first)
        return self.source.grows and self.settings.end is None and last in awaited

    def newest_closed(self, now: datetime, hour: int = 0) -> Week | None:
        """Return the source's newest week that was over `hour` hours ago, or None before that."""
        first, last = self.span
        week = min(last, Week.of(now - timedelta(hours=hour)).previous)
        return week if week >= first else None

    def week(self, key: str | None = None) -> Week:
        """Return the week of a partition key, or the newest that is over.

        Raises
        ------
        ValueError
            If the source has no such week, or it is not over.
        """
        (first, last), now = self.span, datetime.now(UTC)
        week = self.newest_closed(now) or first if key is None else Week.parse(key)
        if not first <= week <= last:
            yet = " yet" if week > last else ""
            raise ValueError(f"week {key} is not in the source{yet}: use {first.key} to {last.key}")
        if week.end > now:
            raise ValueError(
                f"week {week.key} is not over yet: wait for its end, {week.end:%F %R} UTC"
            )
        return week

    def window(self, week: Week) -> list[Week]:
        """Return the weeks that a model of `week` trains on, oldest first."""
        return window(week, self.settings.window_weeks, self.span[0])

    def ingest_fingerprint(self, week: Week) -> str:
        """Return a hash of all that decides the clean rows of `week`."""
        code = code_version("collie_pipeline/sources", "collie_pipeline/preparation")
        allowed = self.settings.prepare.rating_range
        return f"{self.source.fingerprint(week)}-{code}{'' if allowed is None else f'-{allowed}'}"

    def warm_bundles(self, week: Week) -> dict[str, Path]:
        """Return by name of the model the bundle to begin from, where models are to begin so.

        It is the newest of the earlier weeks in the window of `week`, each read by its path, not by
        an edge of the graph: a week can be made without the last, and is not to begin anew then.
        """
        models = self.settings.models
        if not models.warm_start:
            return {}
        earlier = self.window(week)[:-1]
        paths = [
            (name, Path(self.root, "models", name, f"{each.key}.bundle"))
            for name in models.names
            if name in OF_ONE_STAGE
            for each in earlier
        ]
        return {name: path for name, path in paths if path.exists()}  # the last one of a name stays

    def _erased(self) -> dict[str, str]:
        """Return what stands for those who were erased, whom models are to forget."""
        erased = read_erased(self.root)
        return {} if erased is None else {"erased": erased.fingerprint()}

    def fingerprint(self, week: Week, raw: Mapping[str, str] | None = None) -> str:
        """Return a hash of all that decides the tables of `week`: settings, code and raw data.

        Parameters
        ----------
        raw : the source's fingerprint of each week of the window; None asks the source.
        """
        inputs = {
            "settings": self.settings.fingerprint(),
            "code": code_version("collie_core", "collie_pipeline"),
            "raw": raw or {each.key: self.source.fingerprint(each) for each in self.window(week)},
            **self._erased(),
            "warm": {name: sha256(path) for name, path in self.warm_bundles(week).items()},
        }
        return hashlib.sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest()
