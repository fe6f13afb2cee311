from pathlib import Path

import dagster as dg
import pandas as pd
import pytest
from small_project import small_settings

from collie_pipeline.definitions import make_definitions
from collie_pipeline.project import Project
from collie_pipeline.storage import current
from collie_pipeline.survivors import survivors

NAMES = ["popularity", "item_knn", "matrix_factorization", "hybrid_pretrained", "cold_start"]


def project_with(root: Path, names: list[str]) -> Project:
    return Project(small_settings(root, models={"names": names}))


def failed_steps(result: dg.ExecuteInProcessResult) -> set[str]:
    return {
        str(event.step_key)
        for event in result.all_events
        if event.event_type_value == "STEP_FAILURE"
    }


def test_the_models_of_a_failed_stage_leave_with_what_starts_from_them(tmp_path: Path) -> None:
    project = project_with(tmp_path, NAMES)
    plan = survivors(project, ["models__matrix_factorization"])
    assert plan is not None
    assert plan.failed == {"matrix_factorization", "hybrid_pretrained"}
    plan = survivors(project, ["models__cold_start__item_buckets"])
    assert plan is not None
    assert plan.failed == {"cold_start"}


def test_an_evaluation_that_failed_takes_its_model_along(tmp_path: Path) -> None:
    plan = survivors(project_with(tmp_path, NAMES), ["evaluation__item_knn"])
    assert plan is not None
    assert plan.failed == {"item_knn"}


@pytest.mark.parametrize(
    "steps",
    [
        [],
        ["prepared__split"],
        ["models__item_knn", "raw__items"],
        ["models__champion"],
        ["evaluation__leaderboard"],
        ["models__popularity", "models__item_knn", "models__cold_start__no_buckets"],
    ],
)
def test_nothing_goes_on_after_another_fault_or_without_a_model(
    tmp_path: Path, steps: list[str]
) -> None:
    project = project_with(tmp_path, ["popularity", "item_knn", "cold_start"])
    assert survivors(project, steps) is None


def test_a_model_that_fails_does_not_stop_the_others(tmp_path: Path) -> None:
    models = {
        "names": ["popularity", "item_knn", "matrix_factorization"],
        "matrix_factorization": {"embedding_dim": 10**13},  # more than any machine has
    }
    prepare = {"min_user_interactions": 1}
    project = Project(small_settings(tmp_path, models=models, window_weeks=1, prepare=prepare))
    week = project.span[1]
    with dg.DagsterInstance.ephemeral() as instance:
        job = make_definitions(project).resolve_job_def("weekly")
        first = job.execute_in_process(
            partition_key=week.key, instance=instance, raise_on_error=False
        )
        assert not first.success
        assert failed_steps(first) == {"models__matrix_factorization"}
        assert current(tmp_path) is None
        plan = survivors(project, failed_steps(first))
        assert plan is not None
        second = plan.definitions.resolve_job_def("weekly").execute_in_process(
            partition_key=week.key,
            instance=instance,
            asset_selection=plan.remaining,
            raise_on_error=False,
        )
    assert second.success
    assert not [step for step in second.get_step_success_events() if "popular" in step.step_key]
    board = pd.read_parquet(tmp_path / "evaluation" / "leaderboard" / f"{week.key}.parquet")
    assert set(board["model"]) == {"popularity", "item_knn"}
    serving = current(tmp_path)
    assert serving is not None
    assert serving.week == week.key
    assert serving.manifest["inputs"] != project.fingerprint(week)  # so that it is tried again
