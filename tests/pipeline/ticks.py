"""Ticks of real sensors and schedules on a real instance, and runs as the daemon launches them."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import dagster as dg

from collie_pipeline.automation.common import Clock
from collie_pipeline.automation.weekly import weekly_schedule
from collie_pipeline.definitions import make_definitions
from collie_pipeline.due import RUN_KEY, WITHOUT_FAILED
from collie_pipeline.project import Project
from collie_pipeline.weeks import Week

QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


def jobs(definitions: dg.Definitions) -> list[Any]:
    return [definitions.resolve_job_def(name) for name in ("weekly", "ingest", WITHOUT_FAILED)]


def at(moment: datetime) -> Clock:
    return lambda: moment


def monday_after(week: Week, **later: int) -> datetime:
    return week.end + timedelta(**later)


def sensor_tick(
    project: Project,
    instance: dg.DagsterInstance,
    make: Callable[..., dg.SensorDefinition],
    moment: datetime,
    cursor: str | None = None,
) -> Any:
    definitions = make_definitions(project)
    sensor = make(project, jobs(definitions), at(moment))
    with dg.build_sensor_context(
        instance=instance, cursor=cursor, definitions=definitions
    ) as context:
        return sensor.evaluate_tick(context)


def schedule_tick(project: Project, instance: dg.DagsterInstance, moment: datetime) -> Any:
    definitions = make_definitions(project)
    schedule = weekly_schedule(project, definitions.resolve_job_def("weekly"))
    return schedule.evaluate_tick(
        dg.build_schedule_context(
            instance=instance,
            scheduled_execution_time=moment,
            repository_def=definitions.get_repository_def(),
        )
    )


def asked(tick: Any) -> list[tuple[str, str]]:
    return [(request.job_name, request.partition_key) for request in tick.run_requests]


def launch(project: Project, instance: dg.DagsterInstance, tick: Any) -> list[bool]:
    """Run what a tick asks for as the daemon does: each run carries its key."""
    definitions = make_definitions(project)
    return [
        definitions.resolve_job_def(request.job_name)
        .execute_in_process(
            partition_key=request.partition_key,
            instance=instance,
            tags={**request.tags, RUN_KEY: request.run_key},
            raise_on_error=False,
            run_config=QUIET,
            asset_selection=request.asset_selection,
        )
        .success
        for request in tick.run_requests
    ]
