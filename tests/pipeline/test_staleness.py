"""What the UI calls stale: the server is asked of every asset of a week, as its page asks."""

from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from small_project import SMALL, small_settings
from workspaces import said, workspace_of

from collie_pipeline.definitions import make_definitions
from collie_pipeline.project import Project
from collie_pipeline.weeks import Week

STALE = """query($week: String) {assetNodes {assetKey {path} staleStatus(partition: $week)
  staleCauses(partition: $week) {category reason key {path}}}}"""
MODELS = {"names": "popularity,item_knn,ease"}
CHANGED = {**MODELS, "ease": {"regularization": 7.0}}


def settings_of(root: Path, models: dict[str, Any]) -> dict[str, Any]:
    prepare = {"min_user_interactions": 1}
    own = {"root": str(root), "window_weeks": 2, "split": {"method": "random"}}
    return {**SMALL, **own, "prepare": prepare, "models": models}


def stale(
    root: Path, models: dict[str, Any], instance: dg.DagsterInstance, week: Week
) -> dict[str, Any]:
    """Return why each asset of `week` is stale, as its page says it, of those that are."""
    with workspace_of(settings_of(root, models), instance) as workspace:
        nodes = said(workspace, STALE, week=week.key)["assetNodes"]
    assert {node["staleStatus"] for node in nodes} <= {"FRESH", "STALE"}, "all are there"
    return {
        "/".join(node["assetKey"]["path"]): [
            (cause["category"], "/".join(cause["key"]["path"])) for cause in node["staleCauses"]
        ]
        for node in nodes
        if node["staleStatus"] == "STALE"
    }


def make(root: Path, models: dict[str, Any], instance: dg.DagsterInstance, week: Week) -> None:
    given = settings_of(root, {**models, "names": models["names"].split(",")})
    definitions = make_definitions(Project(small_settings(**given)))
    job = definitions.resolve_job_def("weekly")
    assert job.execute_in_process(partition_key=week.key, instance=instance).success


@pytest.mark.slow
def test_a_setting_of_one_model_makes_that_model_stale_and_nothing_is_after_a_rerun(
    tmp_path: Path, instance: dg.DagsterInstance
) -> None:
    root = tmp_path / "data"
    root.mkdir()
    first = Project(small_settings(root)).span[0]
    weeks = [first, first.next]
    for week in weeks:
        make(root, MODELS, instance, week)
        assert stale(root, MODELS, instance, week) == {}
    for week in weeks:
        found = stale(root, CHANGED, instance, week)
        assert found == {"models/ease": [("CODE", "models/ease")]}
    make(root, CHANGED, instance, weeks[1])
    assert stale(root, CHANGED, instance, weeks[1]) == {}
    assert stale(root, CHANGED, instance, weeks[0]).keys() == {"models/ease"}
