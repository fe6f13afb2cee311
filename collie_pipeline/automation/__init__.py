"""What runs by itself: a schedule, sensors, and when a publication is late."""

from collections.abc import Sequence

import dagster as dg

from collie_pipeline.automation.common import Job
from collie_pipeline.automation.files import new_files
from collie_pipeline.automation.freshness import with_freshness
from collie_pipeline.automation.healing import without_failed
from collie_pipeline.automation.webhook import publication_webhook
from collie_pipeline.automation.weekly import missing_weeks, weekly_schedule
from collie_pipeline.project import Project


def sensors(project: Project, jobs: Sequence[Job]) -> list[dg.SensorDefinition]:
    """Return the sensors of `project`; `jobs` are those that make weeks.

    Raises
    ------
    ValueError
        If files are to be watched where the source has none, or the webhook is not safe.
    """
    automation, source = project.settings.automation, project.settings.source
    found = [missing_weeks(project, jobs)]
    if source == "files":
        found.append(new_files(project, jobs))
    elif automation.watch_files:
        raise ValueError(
            f"automation.watch_files is true and source is {source!r}, must be 'files': set "
            "source = 'files', or automation.schedule, which goes by the clock"
        )
    if automation.webhook is not None:
        found.append(publication_webhook(project))
    return found


__all__ = ["sensors", "weekly_schedule", "with_freshness", "without_failed"]
