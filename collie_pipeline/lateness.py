"""Whether an old week was published while a newer one is late: freshness cannot tell them apart."""

from datetime import datetime, timedelta

from collie_pipeline.checking import Finding
from collie_pipeline.project import Project
from collie_pipeline.storage import publications
from collie_pipeline.weeks import Week


def newest_published(project: Project, now: datetime) -> Finding:
    """Find whether the newest week that is due at `now`, or a later one, is published."""
    automation = project.settings.automation
    due = Week.of(now - timedelta(hours=automation.late_hours)).previous
    if not project.goes_on:
        due = min(due, project.span[1])
    newest = max(each.week for each in publications(project.root))
    return Finding(
        newest >= due.key,
        f"the newest week that is published is {newest}, must be {due.key} or later"
        + ("" if newest >= due.key else ": see what `missing_weeks` or `new_files` says of it"),
        warns=True,
    )
