"""The sensor that sees new and changed files of the source `files`."""

import json
from collections.abc import Sequence
from hashlib import sha256
from typing import Any

import dagster as dg

from collie_pipeline.automation.common import NOT_OVER, Clock, Job, result, status, utc_now
from collie_pipeline.due import due
from collie_pipeline.project import Project
from collie_pipeline.sources.digest import signature
from collie_pipeline.sources.tables import find_files
from collie_pipeline.weeks import Week, weeks_between

SETTLED_SECONDS = 60


def new_files(project: Project, jobs: Sequence[Job], clock: Clock = utc_now) -> dg.SensorDefinition:
    """Return the sensor that asks for the weeks of which files have come or changed.

    The cursor holds `files`, a hash of what the last tick saw; `read`, that of the files whose
    weeks are in `weeks`, each with its fingerprint; and `pending`, changed weeks not yet ingested.
    The first tick has nothing to compare with, and asks for the newest week and its window only.
    """

    @dg.sensor(
        name="new_files",
        jobs=jobs,
        minimum_interval_seconds=SETTLED_SECONDS,
        default_status=status(project.settings.automation.watch_files),
        description="Asks for the weeks whose files changed, when they have not for a minute.",
    )
    def sensor(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        cursor = json.loads(context.cursor or "{}")
        there = written(project)
        if there != cursor.get("files"):
            return _unsettled(cursor, there, "files have changed")
        fresh = Project(project.settings)
        week = fresh.newest_closed(clock())
        if week is None:
            return dg.SensorResult(skip_reason=NOT_OVER)
        if there != cursor.get("read"):
            cursor = _changed(fresh, cursor, weeks_between(fresh.span[0], week), there)
        pending = [each for each in map(fresh.week, cursor["pending"]) if each < week]
        found = due(fresh, context.instance, week, pending)
        if (now := written(project)) != there:
            return _unsettled(cursor, now, "files have changed while they were read")
        cursor["pending"] = [each.key for each in pending if each in found.lacking]
        return result(found, json.dumps(cursor))

    return sensor


def _changed(
    project: Project, cursor: dict[str, Any], weeks: Sequence[Week], there: str
) -> dict[str, Any]:
    """Return the cursor after `weeks` were read, the changed ones pending."""
    prints = {week.key: project.source.fingerprint(week) for week in weeks}
    known = cursor.get("weeks", prints)
    changed = {key for key in prints if prints[key] != known.get(key)}
    pending = sorted((changed | set(cursor.get("pending", ()))) & prints.keys())
    return {"files": there, "read": there, "weeks": prints, "pending": pending}


def _unsettled(cursor: dict[str, Any], there: str, what: str) -> dg.SensorResult:
    return dg.SensorResult(
        skip_reason=f"{what}: they are read when they have not for {SETTLED_SECONDS} seconds",
        cursor=json.dumps({**cursor, "files": there}),
    )


def written(project: Project) -> str:
    """Return a hash of which files the source `files` has, and when each was written."""
    files, folder = project.settings.files, project.settings.data_path
    patterns = [each for each in (files.interactions, files.items, files.users) if each is not None]
    found = [] if folder is None else [p for each in patterns for p in find_files(folder, each)]
    return sha256(str([signature(path) for path in found]).encode()).hexdigest()
