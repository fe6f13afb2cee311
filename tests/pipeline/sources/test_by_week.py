from datetime import UTC, date, datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collie_pipeline.settings import Settings
from collie_pipeline.sources.by_week import (
    UNDATED,
    newest_over,
    number_of,
    rows_of,
    span_of,
    week_numbered,
    week_numbers,
)
from collie_pipeline.weeks import Week

FIRST_SECOND = int(datetime(1971, 1, 1, tzinfo=UTC).timestamp())
LAST_SECOND = int(datetime(2199, 12, 31, tzinfo=UTC).timestamp())


@given(st.lists(st.integers(FIRST_SECOND, LAST_SECOND), min_size=1))
def test_number_is_that_of_the_calendar_week(seconds: list[int]) -> None:
    numbers = week_numbers(pd.Series(seconds), "s")
    weeks = [Week.of(datetime.fromtimestamp(second, UTC)) for second in seconds]
    assert [week_numbered(number) for number in numbers.tolist()] == weeks
    assert numbers.tolist() == [number_of(week) for week in weeks]


def test_rows_without_a_time_are_of_the_newest_week_alone() -> None:
    week = Week.parse("2026-01-05")
    numbers = week_numbers(pd.Series(["2026-01-05", "soon", "2026-01-12", None]), "iso")
    assert rows_of(numbers, week, newest=week.next).tolist() == [True, False, False, False]
    assert rows_of(numbers, week.next, newest=week.next).tolist() == [False, True, True, True]


def test_rows_of_weeks_that_have_not_begun_are_faults_of_these_rows() -> None:
    week = Week.of(date(2026, 1, 5))
    later = datetime.now(UTC) + timedelta(weeks=2)
    numbers = week_numbers(pd.Series([week.key, later.isoformat(), None]), "iso")
    assert span_of(numbers, Settings(), "u.data", len(numbers)) == (week, week)
    assert rows_of(numbers, week, newest=week).tolist() == [True, True, True]


def test_rows_without_a_time_are_of_the_last_week_that_is_over() -> None:
    running = Week.of(datetime.now(UTC))
    span = running.previous.previous, running
    numbers = np.array([number_of(week) for week in (*span, running.previous)], dtype=np.int32)
    assert newest_over(numbers, span) == running.previous
    assert newest_over(numbers[:1], span) == span[0]
    assert newest_over(numbers[:0], span) == running.previous
    assert newest_over(numbers[:0], (running, running)) == running


def test_only_unusable_times_are_refused() -> None:
    with pytest.raises(ValueError, match=r"u\.data has 2 rows and no usable timestamp"):
        span_of(np.full(2, UNDATED), Settings(), "u.data", 2)
