"""A model that fails under the sensor: the week is published without it, and it is tried again."""

from pathlib import Path
from typing import Any

import dagster as dg
import pandas as pd
import pytest
from small_project import small_settings
from ticks import asked, launch, monday_after, schedule_tick, sensor_tick

from collie_pipeline.automation.weekly import missing_weeks
from collie_pipeline.definitions import make_definitions
from collie_pipeline.due import FAILED_RUN, PARTITION, WITHOUT_FAILED
from collie_pipeline.project import Project
from collie_pipeline.running import RunError, publish_without_failed
from collie_pipeline.storage import current

TOO_LARGE = {"embedding_dim": 10**13}  # more than any machine has
MENDED = {"embedding_dim": 4, "epochs": 1}
NAMES = ["popularity", "item_knn", "matrix_factorization"]


def project_of(root: Path, factors: dict[str, int], **changes: Any) -> Project:
    models = {"names": NAMES, "matrix_factorization": factors}
    prepare = {"min_user_interactions": 1}
    return Project(small_settings(root, models=models, window_weeks=1, prepare=prepare, **changes))


@pytest.fixture
def broken(tmp_path: Path) -> Project:
    return project_of(tmp_path / "data", TOO_LARGE)


def tick_of(project: Project, instance: dg.DagsterInstance) -> Any:
    return sensor_tick(project, instance, missing_weeks, monday_after(project.span[1], hours=7))


def by_hand(project: Project, instance: dg.DagsterInstance, **tags: str) -> Any:
    """Run the job as from its page, for the newest week."""
    job = make_definitions(project).resolve_job_def(WITHOUT_FAILED)
    week = project.span[1].key
    return job.execute_in_process(
        partition_key=week, instance=instance, tags=tags, raise_on_error=False
    )


@pytest.mark.slow
def test_the_tick_after_a_failed_model_publishes_without_it(
    broken: Project, instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    week = broken.span[1]
    first = tick_of(broken, instance)
    assert asked(first) == [("weekly", week.key)]
    assert launch(broken, instance, first) == [False]
    assert current(broken.root) is None

    late = schedule_tick(broken, instance, monday_after(week, hours=7))
    assert not late.run_requests, "a schedule asks for one job only"
    assert "weekly_without_failed goes on without matrix_factorization" in late.skip_message
    second = tick_of(broken, instance)
    assert asked(second) == [(WITHOUT_FAILED, week.key)]
    assert launch(broken, instance, second) == [True]
    serving = current(broken.root)
    assert serving is not None
    assert serving.week == week.key
    board = pd.read_parquet(broken.root / "evaluation" / "leaderboard" / f"{week.key}.parquet")
    assert set(board["model"]) == {"popularity", "item_knn"}

    third = tick_of(broken, instance)
    assert not third.run_requests
    red = instance.get_runs(dg.RunsFilter(statuses=[dg.DagsterRunStatus.FAILURE]))[0]
    assert f"after run {red.run_id}, which ended as FAILURE" in third.skip_message
    said = f"{serving.id} is published without matrix_factorization, until inputs change"
    assert said in third.skip_message

    mended = project_of(tmp_path / "data", MENDED)
    fourth = tick_of(mended, instance)
    assert asked(fourth) == [("weekly", week.key)]
    assert launch(mended, instance, fourth) == [True]
    board = pd.read_parquet(broken.root / "evaluation" / "leaderboard" / f"{week.key}.parquet")
    assert set(board["model"]) == set(NAMES)
    assert "is published already" in tick_of(mended, instance).skip_message


@pytest.mark.slow
def test_it_goes_on_once_from_the_same_inputs(
    broken: Project, instance: dg.DagsterInstance
) -> None:
    launch(broken, instance, tick_of(broken, instance))
    second = tick_of(broken, instance)
    in_the_way = broken.root / "publications"
    aside = in_the_way.rename(broken.root / "aside")
    in_the_way.write_text("no folder, so that nothing can be published")
    assert launch(broken, instance, second) == [False]
    in_the_way.unlink()
    aside.rename(in_the_way)
    third = tick_of(broken, instance)
    assert not third.run_requests
    assert f"{WITHOUT_FAILED} of {broken.span[1].key} is not there after run" in third.skip_message


@pytest.mark.slow
def test_by_hand_it_follows_the_last_run_of_the_week(
    broken: Project, instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    never = by_hand(broken, instance)
    assert not never.success
    job = make_definitions(broken).resolve_job_def("weekly")
    week = broken.span[1]
    red = job.execute_in_process(partition_key=week.key, instance=instance, raise_on_error=False)
    assert not red.success
    changed = project_of(tmp_path / "data", TOO_LARGE, evaluation={"resamples": 201})
    with pytest.raises(RunError, match="has changed since: run the job weekly again"):
        publish_without_failed(changed, week, instance, red.run_id)
    assert current(broken.root) is None
    assert by_hand(broken, instance).success
    serving = current(broken.root)
    assert serving is not None
    assert serving.week == week.key


@pytest.mark.slow
def test_a_fault_that_is_not_a_models_is_not_passed_over(
    tmp_path: Path, instance: dg.DagsterInstance
) -> None:
    strict = Project(small_settings(tmp_path / "data", prepare={"min_rating": 6.0}))
    moment = monday_after(strict.span[0], hours=7)
    tick = sensor_tick(strict, instance, missing_weeks, moment)
    assert launch(strict, instance, tick) == [False]
    again = sensor_tick(strict, instance, missing_weeks, moment)
    assert not again.run_requests
    assert WITHOUT_FAILED not in again.skip_message
    red = instance.get_runs()[0].run_id
    tags = {PARTITION: strict.span[0].key, FAILED_RUN: red}
    job = make_definitions(strict).resolve_job_def(WITHOUT_FAILED)
    done = job.execute_in_process(
        partition_key=strict.span[0].key, instance=instance, tags=tags, raise_on_error=False
    )
    assert not done.success


def test_the_sensor_may_ask_for_the_job(broken: Project) -> None:
    sensor = make_definitions(broken).resolve_sensor_def("missing_weeks")
    assert {each.name for each in sensor.jobs} == {"weekly", "ingest", WITHOUT_FAILED}
