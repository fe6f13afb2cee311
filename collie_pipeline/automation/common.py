"""What the schedule and the sensors share."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeAlias

import dagster as dg

from collie_pipeline.due import Due

NOT_OVER = "the source's first week is not over yet"
Clock: TypeAlias = Callable[[], datetime]
Job: TypeAlias = Any  # Dagster does not export what `define_asset_job` returns


def utc_now() -> datetime:
    """Return the time."""
    return datetime.now(UTC)


def status(on: bool) -> dg.DefaultSensorStatus:
    """Return whether a sensor runs before anybody turns it on or off in the UI."""
    return dg.DefaultSensorStatus.RUNNING if on else dg.DefaultSensorStatus.STOPPED


def result(found: Due, cursor: str | None = None) -> dg.SensorResult:
    """Return the runs that are due, or why there is none."""
    return dg.SensorResult(
        run_requests=found.requests,
        skip_reason=None if found.requests else found.reason,
        cursor=cursor,
    )
