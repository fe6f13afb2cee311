"""Ticks of the sensor that watches the files of the source `files`."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import dagster as dg
import pandas as pd
import pytest
from small_project import small_settings
from ticks import asked, at, jobs, launch, monday_after, sensor_tick

from collie_pipeline.automation.files import new_files
from collie_pipeline.definitions import make_definitions
from collie_pipeline.project import Project
from collie_pipeline.weeks import Week


def write(folder: Path, name: str, weeks: list[Week], users: int = 12) -> None:
    """Write a file in which each user rates items of their own taste in each of `weeks`."""
    folder.mkdir(exist_ok=True)
    rows = [
        (f"u{user}", f"i{(5 * user + step + 7 * week.monday.day) % 40}", 5, week.monday)
        for week in weeks
        for user in range(users)
        for step in range(6)
    ]
    table = pd.DataFrame(rows, columns=["user_id", "item_id", "rating", "timestamp"])
    table["timestamp"] = pd.to_datetime(table["timestamp"]).astype("datetime64[s]").astype("int64")
    table.to_csv(folder / name, index=False)


@pytest.fixture
def three() -> list[Week]:
    first = Week.parse("2026-01-05")
    return [first, first.next, first.next.next]


def watched(tmp_path: Path, **changes: Any) -> Project:
    return Project(
        small_settings(
            tmp_path / "data",
            source="files",
            data_path=tmp_path / "in",
            window_weeks=2,
            models={"names": ["popularity"]},
            prepare={"min_user_interactions": 1},
            split={"method": "random"},
            automation={"watch_files": True},
            **changes,
        )
    )


def settled(
    project: Project, instance: dg.DagsterInstance, moment: datetime, cursor: str | None
) -> Any:
    """Return the second tick after a change; the first must only wait."""
    waiting = sensor_tick(project, instance, new_files, moment, cursor)
    assert not waiting.run_requests
    assert "files have changed" in waiting.skip_message
    return sensor_tick(project, instance, new_files, moment, waiting.cursor)


@pytest.mark.slow
def test_a_new_file_is_taken_once_when_it_has_settled(
    tmp_path: Path, three: list[Week], instance: dg.DagsterInstance
) -> None:
    write(tmp_path / "in", "interactions-1.csv", three[:2])
    project = watched(tmp_path)
    moment = monday_after(three[2])
    first = settled(project, instance, moment, None)
    assert asked(first) == [("ingest", three[0].key)]
    assert all(launch(project, instance, first))
    second = sensor_tick(project, instance, new_files, moment, first.cursor)
    assert asked(second) == [("weekly", three[1].key)]
    assert launch(project, instance, second) == [True]
    third = sensor_tick(project, instance, new_files, moment, second.cursor)
    assert not third.run_requests
    assert "is published already" in third.skip_message

    # The code location was loaded before this week was there.
    write(tmp_path / "in", "interactions-2.csv", three[2:])
    fourth = settled(project, instance, moment, third.cursor)
    assert asked(fourth) == [("weekly", three[2].key)]
    assert launch(watched(tmp_path), instance, fourth) == [True]
    fifth = sensor_tick(project, instance, new_files, moment, fourth.cursor)
    assert not fifth.run_requests


def test_a_corrected_week_outside_the_window_is_ingested_alone(
    tmp_path: Path, three: list[Week], instance: dg.DagsterInstance
) -> None:
    for number, week in enumerate(three):
        write(tmp_path / "in", f"interactions-{number}.csv", [week])
    project = watched(tmp_path)
    moment = monday_after(three[2])
    tick = settled(project, instance, moment, None)
    assert all(launch(project, instance, tick))
    write(tmp_path / "in", "interactions-0.csv", three[:1], users=13)
    corrected = settled(project, instance, moment, tick.cursor)
    assert asked(corrected) == [("ingest", three[0].key), ("weekly", three[2].key)]
    # Lost before it was launched, it is asked for under the same key, which runs once only.
    again = sensor_tick(project, instance, new_files, moment, corrected.cursor)
    assert again.run_requests[0].run_key == corrected.run_requests[0].run_key
    corrected.run_requests.pop()
    assert all(launch(project, instance, corrected))
    done = sensor_tick(project, instance, new_files, moment, again.cursor)
    assert asked(done) == [("weekly", three[2].key)]
    assert json.loads(done.cursor)["pending"] == []


def test_a_file_that_still_grows_is_waited_for(
    tmp_path: Path, three: list[Week], instance: dg.DagsterInstance
) -> None:
    write(tmp_path / "in", "interactions.csv", three)
    project, cursor = watched(tmp_path), None
    for users in (13, 14, 15):
        tick = sensor_tick(project, instance, new_files, monday_after(three[2]), cursor)
        assert not tick.run_requests
        cursor = tick.cursor
        write(tmp_path / "in", "interactions.csv", three, users)


def test_a_file_that_changes_while_it_is_read_is_waited_for(
    tmp_path: Path, three: list[Week], instance: dg.DagsterInstance
) -> None:
    write(tmp_path / "in", "interactions.csv", three)
    project, moment = watched(tmp_path), monday_after(three[2])
    waiting = sensor_tick(project, instance, new_files, moment)
    definitions = make_definitions(project)

    def meanwhile() -> datetime:
        write(tmp_path / "in", "interactions.csv", three, users=20)
        return moment

    sensor = new_files(project, jobs(definitions), meanwhile)
    with dg.build_sensor_context(
        instance=instance, cursor=waiting.cursor, definitions=definitions
    ) as context:
        tick = sensor.evaluate_tick(context)
    assert not tick.run_requests
    assert "while they were read" in str(tick.skip_message)
    assert asked(sensor_tick(project, instance, new_files, moment, tick.cursor))


def test_the_running_week_is_left_until_it_is_over(
    tmp_path: Path, three: list[Week], instance: dg.DagsterInstance
) -> None:
    write(tmp_path / "in", "interactions.csv", three)
    project = watched(tmp_path)
    tick = settled(project, instance, monday_after(three[0]), None)
    assert asked(tick) == [("weekly", three[0].key)]


def test_a_file_that_cannot_be_read_is_a_red_tick_not_a_silent_one(
    tmp_path: Path, three: list[Week], instance: dg.DagsterInstance
) -> None:
    write(tmp_path / "in", "interactions.csv", three)
    project, moment = watched(tmp_path), monday_after(three[2])
    tick = settled(project, instance, moment, None)
    (tmp_path / "in" / "interactions-1.csv").write_text("who,what\n")
    waiting = sensor_tick(project, instance, new_files, moment, tick.cursor)
    definitions = make_definitions(project)
    sensor = new_files(project, jobs(definitions), at(moment))
    with (
        dg.build_sensor_context(
            instance=instance, cursor=waiting.cursor, definitions=definitions
        ) as context,
        pytest.raises(ValueError, match=r"interactions-1\.csv has no column"),
    ):
        sensor.evaluate_tick(context)
