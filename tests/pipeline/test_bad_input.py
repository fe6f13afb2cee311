"""What is wrong with the data, in real files, from the source to the end of the graph.

All kinds are in the table of `badinput`; this is about weeks.
"""

from datetime import timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pandas as pd
import pytest
from rich.console import Console
from small_files import MONDAY, project_of, rows

from collie_pipeline.definitions import make_definitions
from collie_pipeline.due import published
from collie_pipeline.project import Project
from collie_pipeline.running import RunError, run_week
from collie_pipeline.storage import current

QUIET = Console(quiet=True)


@pytest.fixture
def files(tmp_path: Path) -> Path:
    folder = tmp_path / "files"
    folder.mkdir()
    return folder


def run(project: Project) -> None:
    run_week(project, project.week(), QUIET)


def test_sound_files_are_published(files: Path) -> None:
    project = project_of(files, rows())
    run(project)
    assert current(project.root) is not None


def test_a_week_without_rows_is_refused_with_the_way_out(files: Path) -> None:
    table = rows()
    second = pd.to_datetime(table["timestamp"]).between(
        MONDAY + timedelta(weeks=1), MONDAY + timedelta(weeks=2), inclusive="left"
    )
    project = project_of(files, table[~second])
    with pytest.raises(RunError, match=r"2026-01-12 has 0 rows.*prepare\.allow_empty_weeks = true"):
        run(project)
    assert not (project.root / "prepared" / "clean" / "2026-01-12.parquet").exists()
    project = project_of(files, table[~second], prepare={"allow_empty_weeks": True})
    run(project)
    assert current(project.root) is not None


def test_a_few_refused_rows_are_kept_with_the_reason(files: Path) -> None:
    table = rows()
    table.loc[table.index[-1], "rating"] = float("nan")
    project = project_of(files, table)
    run(project)
    path = project.root / "prepared" / "quarantine" / f"{project.week().key}.parquet"
    refused = pd.read_parquet(path)
    assert refused["reason"].tolist() == ["missing_rating"]
    assert refused["source_row"].tolist() == [len(table)]


@pytest.mark.parametrize("content", ["", "user_id,item_id,rating,timestamp\n", "a,b\n1,2\n"])
def test_a_file_of_nothing_or_something_else_is_named(files: Path, content: str) -> None:
    project = project_of(files, rows())
    (files / "ratings.csv").write_text(content)
    with pytest.raises(ValueError, match=r"ratings\.csv|files has 0 rows"):
        run(project)
    assert current(project.root) is None


@pytest.mark.slow
def test_a_changed_week_is_read_again(files: Path) -> None:
    project = project_of(files, rows())
    run(project)
    before = pd.read_parquet(project.root / "prepared" / "clean" / "2026-01-12.parquet")
    table = rows()
    table.loc[table["timestamp"].between("2026-01-12", "2026-01-19"), "rating"] = 4
    project = project_of(files, table)
    run(project)
    after = pd.read_parquet(project.root / "prepared" / "clean" / "2026-01-12.parquet")
    assert set(before["rating"]) == {5}
    assert set(after["rating"]) == {4}


@pytest.mark.slow
def test_a_hole_in_the_window_is_named(files: Path) -> None:
    project = project_of(files, rows())
    run(project)
    (project.root / "prepared" / "clean" / "2026-01-12.parquet").unlink()
    with dg.DagsterInstance.get() as instance:
        result = (
            make_definitions(project)
            .resolve_job_def("weekly")
            .execute_in_process(partition_key="2026-01-26", instance=instance, raise_on_error=False)
        )
    failures = [
        str(event.event_specific_data.error)
        for event in result.all_events
        if event.event_type_value == "STEP_FAILURE"
    ]
    assert any("prepared/clean has no 2026-01-12, which the window needs" in f for f in failures)


class Meddler(Console):
    """A console that changes a file once the window is split: by then all rows are read."""

    def __init__(self, file: Path) -> None:
        super().__init__(quiet=True)
        self.changed = file

    def print(self, *objects: Any, **options: Any) -> None:
        if "prepared/train" in str(objects[0]):
            with self.changed.open("a") as file:
                file.write(f"u0,late,5,{MONDAY.isoformat()}\n")
        super().print(*objects, **options)


def test_a_source_that_changes_meanwhile_is_not_taken_for_the_one_that_was_read(
    files: Path,
) -> None:
    project = project_of(files, rows())
    before = project.fingerprint(project.week())
    run_week(project, project.week(), Meddler(files / "ratings.csv"))
    serving = current(project.root)
    assert serving is not None
    assert serving.manifest["inputs"] == before
    again = Project(project.settings)
    assert published(again, again.week()) is None


def test_a_week_whose_ratings_have_a_range_is_known_to_be_published(files: Path) -> None:
    project = project_of(files, rows(), prepare={"rating_range": [0.5, 5.0]})
    run(project)
    assert published(project, project.week()) == current(project.root)
