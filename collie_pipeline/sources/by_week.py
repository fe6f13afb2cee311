"""Which week a row belongs to, for every source that has timestamps."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import get_args

import numpy as np
import numpy.typing as npt
import pandas as pd

from collie_pipeline.preparation.timestamps import parse_times
from collie_pipeline.sections import TimeUnit
from collie_pipeline.settings import Settings
from collie_pipeline.weeks import Week

WEEK_MICROSECONDS = 604_800_000_000
MONDAY = 4 * 86_400_000_000  # 1970-01-05
UNDATED = np.iinfo(np.int32).min  # no usable timestamp: of the newest week, for its quarantine
Numbers = npt.NDArray[np.int32]


def week_numbers(timestamps: pd.Series, unit: TimeUnit) -> Numbers:
    """Return the number of each row's week, (B,): 0 is that of 1970-01-05, `UNDATED` is none."""
    times = parse_times(timestamps, unit)
    numbers = (times.microseconds - MONDAY) // WEEK_MICROSECONDS
    return np.where(times.usable, numbers, UNDATED).astype(np.int32)


def number_of(week: Week) -> int:
    """Return the number of `week`, as `week_numbers` counts."""
    return (int(week.start.timestamp()) * 1_000_000 - MONDAY) // WEEK_MICROSECONDS


def week_numbered(number: int) -> Week:
    """Return the week whose number is `number`."""
    return Week.of(datetime(1970, 1, 5, tzinfo=UTC) + timedelta(weeks=number))


def running_number() -> int:
    """Return the number of the week that is now; rows of later ones cannot have happened."""
    return number_of(Week.of(datetime.now(UTC)))


def span_of(
    numbers: Numbers, settings: Settings, place: object, rows: int, hint: Callable[[], str] = str
) -> tuple[Week, Week]:
    """Return the first and the last week of `numbers`, (W,), within the settings' start and end.

    Weeks that have not begun do not count: one row of the year 2150 is a fault of that row.

    Parameters
    ----------
    numbers : of the weeks of some rows, each at least once.
    place, rows : what has the rows, and how many, for the error.
    hint : says what might be wrong with the times.

    Raises
    ------
    ValueError
        If no row has a usable timestamp, or none lies within start and end.
    """
    dated = numbers[_dated(numbers)]
    if not len(dated):
        raise ValueError(
            f"{place} has {rows} rows and no usable timestamp among them{hint()}: check "
            "files.time_unit and files.columns.timestamp, or set files.mode = 'snapshot'"
        )
    return bounded(week_numbered(int(dated.min())), week_numbered(int(dated.max())), settings)


def better_unit(times: pd.Series, unit: TimeUnit) -> str:
    """Return what is to be said of `times`, (B,), none of which is usable in `unit`."""
    if times.empty:
        return ""
    usable = {
        other: float(_dated(week_numbers(times, other)).mean()) for other in get_args(TimeUnit)
    }
    best = max(usable, key=lambda other: usable[other])
    if best != unit and usable[best] > 0:
        return f" with files.time_unit = {unit!r}, but {usable[best]:.0%} with {best!r}"
    return f", the first is {str(times.iloc[0])!r}"


def bounded(first: Week, last: Week, settings: Settings) -> tuple[Week, Week]:
    """Return `first` and `last` moved within the settings' start and end.

    Raises
    ------
    ValueError
        If nothing is left between them.
    """
    begin = max(first, Week.of(settings.start)) if settings.start else first
    finish = min(last, Week.of(settings.end)) if settings.end else last
    if finish < begin:
        raise ValueError(
            f"{_edges(settings)} leaves no week, must leave one: the source has {first.key} to "
            f"{last.key}, choose among these"
        )
    return begin, finish


def _edges(settings: Settings) -> str:
    edges = {"start": settings.start, "end": settings.end}
    return " and ".join(f"{name} = {day}" for name, day in edges.items() if day is not None)


def rows_of(numbers: Numbers, week: Week, newest: Week) -> npt.NDArray[np.bool_]:
    """Return whether each row, (B,), is read for `week`.

    Rows without a time, or of a week that has not begun, are of `newest`, for its quarantine.
    """
    own = numbers == number_of(week)
    return np.asarray(own | ~_dated(numbers) if week == newest else own)


def newest_over(numbers: Numbers, span: tuple[Week, Week]) -> Week:
    """Return the last week of `numbers`, (W,), in `span` that is over, or the last over of `span`.

    A span of which no week is over yet has its first.
    """
    latest = min(number_of(span[1]), running_number() - 1)
    own = numbers[_dated(numbers) & (numbers <= latest)]
    return week_numbered(int(own.max())) if len(own) else max(span[0], week_numbered(latest))


def _dated(numbers: Numbers) -> npt.NDArray[np.bool_]:
    return np.asarray((numbers != UNDATED) & (numbers <= running_number()))
