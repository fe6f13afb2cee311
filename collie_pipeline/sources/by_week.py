"""Which week a row belongs to, for every source that has timestamps."""

from datetime import UTC, datetime, timedelta

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


def span_of(numbers: Numbers, settings: Settings, place: object) -> tuple[Week, Week]:
    """Return the first and the last week of `numbers`, (B,), within the settings' start and end.

    Raises
    ------
    ValueError
        If no row has a usable timestamp, or none lies within start and end.
    """
    dated = numbers[numbers != UNDATED]
    if not len(dated):
        raise ValueError(
            f"{place} has {len(numbers)} rows and no usable timestamp among them: check "
            "files.time_unit and files.columns.timestamp, or set files.mode = 'snapshot'"
        )
    return bounded(week_numbered(int(dated.min())), week_numbered(int(dated.max())), settings)


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
            f"start {settings.start} and end {settings.end} leave no week: the source has "
            f"{first.key} to {last.key}"
        )
    return begin, finish


def rows_of(numbers: Numbers, week: Week, newest: Week) -> npt.NDArray[np.bool_]:
    """Return whether each row, (B,), is read for `week`; rows without a time are of `newest`."""
    own = numbers == number_of(week)
    return np.asarray(own | (numbers == UNDATED) if week == newest else own)
