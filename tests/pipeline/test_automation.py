"""Ticks of the schedule and of the sensor that heals; what it asks for really runs."""

import os
import subprocess
import sys
import uuid
from datetime import timedelta
from pathlib import Path

import dagster as dg
import pytest
from small_project import small_settings
from ticks import asked, launch, monday_after, schedule_tick, sensor_tick

from collie_pipeline.automation.freshness import PUBLICATION, freshness
from collie_pipeline.automation.weekly import missing_weeks
from collie_pipeline.dead_runs import living
from collie_pipeline.definitions import make_definitions
from collie_pipeline.project import Project
from collie_pipeline.sections import Automation
from collie_pipeline.storage import current


@pytest.fixture
def project(tmp_path: Path) -> Project:
    few = {"names": ["popularity"]}
    return Project(small_settings(tmp_path / "data", models=few))


@pytest.mark.slow
def test_a_pipeline_that_slept_wakes_up_whole_and_then_asks_for_nothing(
    project: Project, instance: dg.DagsterInstance
) -> None:
    last = project.span[1]
    moment = monday_after(last, hours=7)
    window = [week.key for week in project.window(last)]

    first = sensor_tick(project, instance, missing_weeks, moment)
    assert asked(first) == [("ingest", week) for week in window[:-1]]
    early = schedule_tick(project, instance, moment)
    assert not early.run_requests
    assert f"needs the rows of {', '.join(window[:-1])} first" in early.skip_message

    assert all(launch(project, instance, first))
    second = sensor_tick(project, instance, missing_weeks, moment)
    assert asked(second) == [("weekly", last.key)]
    on_time = schedule_tick(project, instance, moment)
    assert asked(on_time) == asked(second)
    assert on_time.run_requests[0].run_key == second.run_requests[0].run_key

    assert launch(project, instance, second) == [True]
    serving = current(project.root)
    assert serving is not None
    assert serving.week == last.key
    for third in (
        sensor_tick(project, instance, missing_weeks, moment),
        schedule_tick(project, instance, moment),
    ):
        assert not third.run_requests
        assert f"{serving.id} is published already" in third.skip_message


def test_what_is_as_it_was_is_not_asked_for(
    project: Project, instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    first = project.span[0]
    models = {"names": ["popularity", "item_knn"]}
    one, more = (
        Project(small_settings(tmp_path / "data", end=first.monday, models=chosen))
        for chosen in ({"names": ["popularity"]}, models)
    )
    moment = monday_after(first, hours=7)
    whole = schedule_tick(one, instance, moment)
    assert whole.run_requests[0].asset_selection is None
    assert launch(one, instance, whole) == [True]
    tick = schedule_tick(more, instance, moment)
    chosen = {key.to_user_string() for key in tick.run_requests[0].asset_selection}
    assert {"models/item_knn", "evaluation/item_knn", "recommendations/publication"} <= chosen
    assert not chosen & {"raw/interactions", "prepared/train", "models/popularity"}
    assert launch(more, instance, tick) == [True]
    assert "is published already" in schedule_tick(more, instance, moment).skip_message


def test_a_week_is_asked_for_when_its_hour_has_come(
    project: Project, instance: dg.DagsterInstance
) -> None:
    first = project.span[0]
    before = sensor_tick(project, instance, missing_weeks, monday_after(first, hours=6, minutes=9))
    assert not before.run_requests
    assert "first week is not over" in before.skip_message
    after = sensor_tick(project, instance, missing_weeks, monday_after(first, hours=6, minutes=10))
    assert asked(after) == [("weekly", first.key)]
    assert "first week is not over" in str(
        schedule_tick(project, instance, monday_after(first, hours=5)).skip_message
    )
    assert asked(schedule_tick(project, instance, monday_after(first, hours=6))) == asked(after)


def test_the_newest_closed_week_lies_within_the_source(project: Project) -> None:
    first, last = project.span
    assert project.newest_closed(last.end + timedelta(weeks=52)) == last
    assert project.newest_closed(last.end) == last
    assert project.newest_closed(last.end - timedelta(seconds=1)) == last.previous
    assert project.newest_closed(first.end + timedelta(hours=5), hour=6) is None


def test_a_run_on_its_way_is_not_asked_for_again(
    project: Project, instance: dg.DagsterInstance
) -> None:
    moment = monday_after(project.span[0], hours=7)
    request = sensor_tick(project, instance, missing_weeks, moment).run_requests[0]
    instance.create_run_for_job(
        make_definitions(project).resolve_job_def("weekly"),
        status=dg.DagsterRunStatus.NOT_STARTED,
        tags=dict(request.tags),
    )
    again = sensor_tick(project, instance, missing_weeks, moment)
    assert not again.run_requests
    assert "waits for run" in again.skip_message


def test_what_failed_is_not_tried_again_before_its_inputs_change(
    tmp_path: Path, instance: dg.DagsterInstance
) -> None:
    strict = small_settings(tmp_path / "data", prepare={"min_rating": 6.0})
    project = Project(strict)
    moment = monday_after(project.span[0], hours=7)
    tick = sensor_tick(project, instance, missing_weeks, moment)
    assert launch(project, instance, tick) == [False]
    again = sensor_tick(project, instance, missing_weeks, moment)
    assert not again.run_requests
    assert "ended as FAILURE from the same inputs" in again.skip_message
    mended = Project(small_settings(tmp_path / "data"))
    assert asked(sensor_tick(mended, instance, missing_weeks, moment)) == asked(tick)


def test_the_run_of_a_killed_command_does_not_hold_a_week_for_ever(
    project: Project, instance: dg.DagsterInstance
) -> None:
    moment = monday_after(project.span[0], hours=7)
    request = sensor_tick(project, instance, missing_weeks, moment).run_requests[0]
    run_id = str(uuid.uuid4())
    with living(instance, run_id) as tags:
        run = instance.create_run_for_job(
            make_definitions(project).resolve_job_def("weekly"),
            run_id=run_id,
            status=dg.DagsterRunStatus.STARTED,
            tags={**request.tags, **tags},
        )
        assert asked(sensor_tick(project, instance, missing_weeks, moment)) == []
    assert asked(sensor_tick(project, instance, missing_weeks, moment)) == [
        ("weekly", project.span[0].key)
    ]
    stored = instance.get_run_by_id(run.run_id)
    assert stored is not None
    assert stored.status is dg.DagsterRunStatus.FAILURE


def test_files_cannot_be_watched_where_there_are_none(tmp_path: Path) -> None:
    settings = small_settings(tmp_path / "data", automation={"watch_files": True})
    with pytest.raises(ValueError, match="source is 'demo', must be 'files'"):
        make_definitions(Project(settings))


@pytest.mark.parametrize("on", [True, False])
def test_it_runs_by_itself_by_choice(tmp_path: Path, on: bool) -> None:
    settings = small_settings(tmp_path / "data", automation={"schedule": on, "hour": 3})
    definitions = make_definitions(Project(settings))
    schedule = definitions.resolve_schedule_def("weekly_schedule")
    assert schedule.cron_schedule == "0 3 * * 1"
    assert schedule.execution_timezone == "UTC"
    assert schedule.default_status.value == ("RUNNING" if on else "STOPPED")
    sensor = definitions.resolve_sensor_def("missing_weeks")
    assert sensor.default_status.value == ("RUNNING" if on else "STOPPED")
    policy = definitions.resolve_asset_graph().get(PUBLICATION).freshness_policy
    assert (policy is not None) is on


def test_sensors_that_have_nothing_to_do_are_not_there(project: Project) -> None:
    names = {sensor.name for sensor in make_definitions(project).sensors or ()}
    assert names == {"missing_weeks"}


@pytest.mark.parametrize(
    ("hour", "late", "cron", "since_hours"),
    [
        (6, 24, "0 6 * * 2", 30),
        (6, 1, "0 7 * * 1", 7),
        (23, 168, "0 23 * * 1", 168),
        (0, 143, "0 23 * * 6", 143),
        (0, 144, "0 0 * * 0", 144),
    ],
)
def test_a_publication_is_late_so_many_hours_after_the_hour(
    hour: int, late: int, cron: str, since_hours: int
) -> None:
    policy = freshness(Automation(hour=hour, late_after_hours=late))
    assert isinstance(policy, dg.FreshnessPolicy)
    assert policy == dg.FreshnessPolicy.cron(
        deadline_cron=cron, lower_bound_delta=timedelta(hours=since_hours), timezone="UTC"
    )


def test_the_definitions_with_everything_on_load_without_torch(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    row = "user_id,item_id,rating,timestamp\nu,i,5,1767571200\n"
    (tmp_path / "in" / "interactions.csv").write_text(row)
    code = (
        "import sys; from collie_pipeline.definitions import defs; found = defs(); "
        "import dagster as dg; dg.Definitions.validate_loadable(found); "
        "print(sorted(s.name for s in found.sensors)); sys.exit('torch' in sys.modules)"
    )
    environment = {
        **os.environ,
        "COLLIE_SOURCE": "files",
        "COLLIE_DATA_PATH": str(tmp_path / "in"),
        "COLLIE_AUTOMATION__SCHEDULE": "true",
        "COLLIE_AUTOMATION__WATCH_FILES": "true",
        "COLLIE_AUTOMATION__WEBHOOK": "https://example.com/hook",
    }
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "['missing_weeks', 'new_files', 'publication_webhook']"
