"""Which weeks the UI offers."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest
from small_project import small_settings
from test_new_files import write

from collie_pipeline.assets import raw
from collie_pipeline.project import Project
from collie_pipeline.storage import ParquetIO
from collie_pipeline.weeks import Week

OVER = Week.of(datetime.now(UTC)).previous


def back(weeks: int) -> Week:
    return Week(OVER.monday - timedelta(weeks=weeks))


def in_files(tmp_path: Path, newest: Week, **changes: object) -> Project:
    write(tmp_path / "in", "interactions.csv", [newest.previous, newest])
    files = {"source": "files", "data_path": tmp_path / "in"}
    return Project(small_settings(tmp_path / "data", **files, **changes))


def offered(project: Project, now: datetime | None = None) -> list[str]:
    return list(project.partitions.get_partition_keys(current_time=now))


def test_a_source_that_grows_offers_every_week_that_is_over(tmp_path: Path) -> None:
    project = in_files(tmp_path, back(2))
    there = [back(weeks).key for weeks in (3, 2, 1, 0)]
    assert offered(project) == there
    assert offered(project, OVER.next.end) == [*there, OVER.next.key], "a Monday later"


def test_a_running_week_is_not_offered_though_it_has_rows(tmp_path: Path) -> None:
    assert offered(in_files(tmp_path, OVER.next)) == [OVER.key]


def test_a_source_that_is_over_offers_its_own_weeks(tmp_path: Path, project: Project) -> None:
    first, last = project.span
    assert len(offered(project)) == 6, "the demo, which ends before today"
    assert (offered(project)[0], offered(project)[-1]) == (first.key, last.key)
    newest, older = back(3), back(4)
    assert offered(in_files(tmp_path, newest))[-1] == OVER.key, "awaited for a window of four weeks"
    ended = in_files(tmp_path, newest, end=newest.monday)
    assert offered(ended) == [older.key, newest.key]
    assert offered(in_files(tmp_path, older)) == [back(5).key, older.key]


@pytest.mark.parametrize("name", ["interactions", "items", "users"])
def test_a_week_whose_rows_have_not_come_is_refused_and_leaves_nothing(
    tmp_path: Path, name: str
) -> None:
    project = in_files(tmp_path, back(1), prepare={"allow_empty_weeks": True})
    (chosen,) = [each for each in raw.assets(project) if each.key.path[-1] == name]
    with dg.DagsterInstance.ephemeral() as instance:
        done = dg.materialize(
            [chosen],
            partition_key=OVER.key,
            instance=instance,
            resources={"parquet": ParquetIO(root=str(project.root))},
            raise_on_error=False,
        )
        (failure,) = [each for each in done.all_events if each.event_type_value == "STEP_FAILURE"]
    assert f"{OVER.key} is not in the source yet: use {back(2).key} to {back(1).key}" in str(
        failure.step_failure_data.error
    )
    assert not list(tmp_path.rglob("*.parquet"))
