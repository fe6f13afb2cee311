"""When a publication turns red: Dagster's own daemon and server, over whose clock we decide."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.test_utils import freeze_time
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._daemon.freshness import FreshnessDaemon
from small_project import small_settings
from test_new_files import write
from workspaces import said, workspace_of

from collie_pipeline.automation.freshness import PUBLICATION
from collie_pipeline.definitions import make_definitions
from collie_pipeline.lateness import newest_published
from collie_pipeline.project import Project
from collie_pipeline.storage import publications
from collie_pipeline.weeks import Week

STATUS = """{assetNodeOrError(assetKey: {path: ["recommendations", "publication"]}) {
  ... on AssetNode {freshnessStatusInfo {freshnessStatus}}}}"""
MONDAY = datetime(2026, 3, 2, tzinfo=UTC)
AUTOMATION = {"schedule": True, "hour": 6, "late_after_hours": 24}
ONE_WEEK = {
    "window_weeks": 1,
    "models": {"names": ["popularity"]},
    "prepare": {"min_user_interactions": 1},
    "split": {"method": "random"},
}


@pytest.fixture
def watched(tmp_path: Path, instance: dg.DagsterInstance) -> Iterator[WorkspaceProcessContext]:
    settings = {"root": str(tmp_path / "data"), "automation": AUTOMATION}
    with workspace_of(settings, instance) as workspace:
        yield workspace


def seen(workspace: WorkspaceProcessContext, moment: datetime) -> str:
    """Return what the UI says of the publication once the daemon looked at it at `moment`."""
    with freeze_time(moment):
        list(FreshnessDaemon().run_iteration(workspace))
        found = said(workspace, STATUS)
    status = found["assetNodeOrError"]["freshnessStatusInfo"]["freshnessStatus"]
    assert isinstance(status, str)
    return status


def publish(workspace: WorkspaceProcessContext, moment: datetime) -> None:
    made = dg.AssetMaterialization(PUBLICATION, partition=Week.of(moment).previous.key)
    with freeze_time(moment):
        workspace.instance.report_runless_asset_event(made)


def test_a_late_week_turns_red_at_its_hour_and_green_when_it_is_published(
    watched: WorkspaceProcessContext,
) -> None:
    assert seen(watched, MONDAY) == "UNKNOWN"
    publish(watched, MONDAY + timedelta(hours=6))
    next_deadline = MONDAY + timedelta(weeks=1, hours=30)
    for early in (MONDAY + timedelta(hours=30), next_deadline - timedelta(minutes=1)):
        assert seen(watched, early) == "HEALTHY"
    for late in (next_deadline, next_deadline + timedelta(days=5)):
        assert seen(watched, late) == "DEGRADED"
    publish(watched, next_deadline + timedelta(days=5))
    assert seen(watched, next_deadline + timedelta(days=5, minutes=1)) == "HEALTHY"
    assert seen(watched, next_deadline + timedelta(weeks=1)) == "DEGRADED"


def project_of(home: Path, weeks: list[Week], **automation: object) -> Project:
    for week in weeks:
        write(home / "in", f"interactions-{week.key}.csv", [week])
    source = {"source": "files", "data_path": home / "in"}
    settings = {**ONE_WEEK, **source, "automation": {**AUTOMATION, **automation}}
    settings["window_weeks"] = 2  # so that the week that is over is awaited
    return Project(small_settings(home / "data", **settings))


def published(project: Project, week: Week, instance: dg.DagsterInstance) -> dict[str, bool]:
    """Publish `week`, and return what the checks of the publication say."""
    job = make_definitions(project).resolve_job_def("weekly")
    done = job.execute_in_process(partition_key=week.key, instance=instance)
    found = done.get_asset_check_evaluations()
    return {each.check_name: each.passed for each in found if each.asset_key == PUBLICATION}


@pytest.mark.slow
def test_an_older_week_does_not_pass_for_the_one_that_is_late(
    tmp_path: Path, instance: dg.DagsterInstance
) -> None:
    over = Week.of(datetime.now(UTC)).previous
    weeks = [over.previous.previous, over.previous]
    project = project_of(tmp_path, weeks, hour=0, late_after_hours=1)
    assert published(project, weeks[0], instance) == {"as_hashed": True, "newest_published": False}
    deadline = weeks[1].end + timedelta(hours=1)
    late, early = (newest_published(project, deadline + timedelta(minutes=n)) for n in (0, -1))
    assert (late.passed, early.passed, late.warns) == (False, True, True)
    assert f"is {weeks[0].key}, must be {weeks[1].key} or later" in late.said
    assert published(project, weeks[1], instance)["as_hashed"]
    assert newest_published(project, deadline).passed
    rowless = newest_published(project, over.end + timedelta(hours=1))
    assert not rowless.passed, "nor does a week whose files never came"


@pytest.mark.slow
def test_no_week_is_late_after_the_last_one_of_a_source_or_without_automation(
    tmp_path: Path, instance: dg.DagsterInstance
) -> None:
    project = Project(small_settings(tmp_path / "data", **ONE_WEEK, automation=AUTOMATION))
    last = project.span[1]
    assert published(project, last, instance)["newest_published"]
    assert [each.week for each in publications(project.root)] == [last.key]
    silent = Project(small_settings(tmp_path / "silent", **ONE_WEEK))
    assert published(silent, silent.span[0], instance) == {"as_hashed": True}
