from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collie_pipeline.project import Project
from collie_pipeline.settings import load_settings
from collie_pipeline.weeks import Week, weeks_between, window

WEEK = Week.parse("2026-01-05")
MOMENTS = st.datetimes(datetime(1970, 1, 8), datetime(2200, 1, 1), timezones=st.just(UTC))


def test_week_is_named_by_its_monday() -> None:
    assert Week.of(date(2026, 1, 11)).key == "2026-01-05"


def test_another_day_is_refused_with_the_monday_to_use() -> None:
    with pytest.raises(ValueError, match=r"2026-01-06 begins on a Tuesday.*use 2026-01-05"):
        Week(date(2026, 1, 6))


@pytest.mark.parametrize("key", ["2026-01-06", "monday", "", "2026-13-01"])
def test_key_that_names_no_week_is_refused(key: str) -> None:
    with pytest.raises(ValueError, match="is not the ISO date of a Monday"):
        Week.parse(key)


@given(MOMENTS)
def test_every_moment_lies_in_its_week(moment: datetime) -> None:
    week = Week.of(moment)
    assert week.start <= moment < week.end


def test_time_of_day_is_read_in_utc() -> None:
    sunday_there = datetime(2026, 1, 4, 23, tzinfo=timezone(timedelta(hours=-2)))
    assert Week.of(sunday_there) == WEEK


@given(MOMENTS)
def test_next_and_previous_are_opposite(moment: datetime) -> None:
    week = Week.of(moment)
    assert week.next.previous == week
    assert week.next.start == week.end


def test_weeks_between_holds_both_ends_oldest_first() -> None:
    keys = [week.key for week in weeks_between(WEEK, Week.parse("2026-01-19"))]
    assert keys == ["2026-01-05", "2026-01-12", "2026-01-19"]


def test_weeks_the_wrong_way_round_are_refused() -> None:
    with pytest.raises(ValueError, match="2026-01-05 is before the first, 2026-01-12"):
        weeks_between(WEEK.next, WEEK)


def test_window_ends_with_its_week() -> None:
    assert window(WEEK, 3, WEEK.previous.previous.previous) == [
        WEEK.previous.previous,
        WEEK.previous,
        WEEK,
    ]


def test_window_does_not_begin_before_the_first_week() -> None:
    assert window(WEEK, 10, WEEK.previous) == [WEEK.previous, WEEK]


def test_window_of_no_weeks_is_refused() -> None:
    with pytest.raises(ValueError, match="n is 0, must be at least 1"):
        window(WEEK, 0, WEEK)


def test_a_week_that_is_still_running_is_not_the_newest(tmp_path: Path) -> None:
    running = Week.of(datetime.now(UTC))
    pairs = [(f"u{n % 7}", f"i{n % 5}") for n in range(30)]
    rows = pd.DataFrame(pairs, columns=["user_id", "item_id"])
    weeks = [running.previous.start, running.start]
    rows["timestamp"] = [weeks[n % 2].timestamp() + n for n in range(30)]
    rows.to_parquet(tmp_path / "interactions.parquet")
    project = Project(load_settings(source="files", data_path=tmp_path, root=tmp_path / "data"))
    assert project.span[1] == running
    assert project.week() == running.previous
    rows["timestamp"] = running.start.timestamp()
    rows.to_parquet(tmp_path / "interactions.parquet")
    later = Project(load_settings(source="files", data_path=tmp_path, root=tmp_path / "data"))
    with pytest.raises(ValueError, match=f"week {running.key} is not over yet"):
        later.week()
