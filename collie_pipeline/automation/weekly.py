"""The clock and what heals: a schedule that asks for a week, a sensor for what it lacks.

On Monday at `automation.hour` the schedule asks for the week that is over. It can ask for one job
only, and a week needs its window. So beside it goes the sensor `missing_weeks`, which asks for the
rows that the window lacks and, once they are there, for the week: after a month without runs the
newest week is published as if nothing had been missed. Both ask for what `collie_pipeline.due`
says, so neither asks for what the other has; the sensor comes ten minutes after the schedule, and
finds the schedule's run.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import dagster as dg

from collie_pipeline.automation.common import NOT_OVER, Clock, Job, result, status, utc_now
from collie_pipeline.due import due
from collie_pipeline.project import Project

AFTER_THE_SCHEDULE = timedelta(minutes=10)


def weekly_schedule(project: Project, weekly: Job) -> dg.ScheduleDefinition:
    """Return the schedule of the job `weekly`: Mondays, for the newest week that is over."""
    automation = project.settings.automation

    @dg.schedule(
        name="weekly_schedule",
        cron_schedule=f"0 {automation.hour} * * 1",
        execution_timezone="UTC",
        job=weekly,
        default_status=dg.DefaultScheduleStatus.RUNNING
        if automation.schedule
        else dg.DefaultScheduleStatus.STOPPED,
        description="Asks for the week that is over, once its window is there: `missing_weeks`.",
    )
    def schedule(context: dg.ScheduleEvaluationContext) -> Any:
        fresh = Project(project.settings)
        week = fresh.newest_closed(context.scheduled_execution_time, automation.hour)
        if week is None:
            return dg.SkipReason(NOT_OVER)
        found = due(fresh, context.instance, week)
        own = [request for request in found.requests if request.job_name == "weekly"]
        missing = ", ".join(each.key for each in found.lacking)
        return own or dg.SkipReason(
            f"{week.key} needs the rows of {missing} first: the sensor missing_weeks asks for them"
            if missing
            else found.reason
        )

    return schedule


def missing_weeks(
    project: Project, jobs: Sequence[Job], clock: Clock = utc_now
) -> dg.SensorDefinition:
    """Return the sensor that asks for what the newest week that is over lacks, then for it."""
    automation = project.settings.automation

    @dg.sensor(
        name="missing_weeks",
        jobs=jobs,
        minimum_interval_seconds=300,
        default_status=status(automation.schedule),
        description="Asks for rows that the window of the newest week lacks, then for that week.",
    )
    def sensor(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        # A project keeps the span it once read, and the source may have grown.
        fresh = Project(project.settings)
        week = fresh.newest_closed(clock() - AFTER_THE_SCHEDULE, automation.hour)
        if week is None:
            return dg.SensorResult(skip_reason=NOT_OVER)
        return result(due(fresh, context.instance, week))

    return sensor
