"""Back-fills on the real persistent instance."""

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pandas as pd
import pytest
from rich.console import Console
from small_project import small_settings
from test_cli import SMALL, collie

from collie_pipeline.backfilling import Choice, backfill, weeks_of
from collie_pipeline.project import Project
from collie_pipeline.running import dagster_home, run_week
from collie_pipeline.storage import Publication, current, publications
from collie_pipeline.weeks import Week

QUIET = Console(quiet=True)
pytestmark = pytest.mark.slow  # whole weeks, one after the other
FEW = {"names": ["popularity"]}


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(small_settings(tmp_path / "data", models=FEW))


def said_by(project: Project, weeks: list[Week], **choice: bool) -> tuple[list[str], list[Week]]:
    said = io.StringIO()
    failed = backfill(project, weeks, Console(file=said, width=80), Choice(**choice))
    return said.getvalue().splitlines(), failed


def runs() -> list[dg.DagsterRun]:
    """Return the runs of the persistent instance, oldest first."""
    dagster_home()
    with dg.DagsterInstance.get() as instance:
        return [*instance.get_runs()][::-1]


def made(jobs: list[dg.DagsterRun]) -> list[tuple[str, str]]:
    return [(run.job_name, run.tags["dagster/partition"]) for run in jobs]


@dataclass(frozen=True)
class Filled:
    """The newest week made first, then three weeks back-filled, which it is one of."""

    project: Project
    weeks: list[Week]
    serving: Publication | None
    lines: list[str]
    failed: list[Week]
    runs: list[tuple[str, str]]


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Filled]:
    home = tmp_path_factory.mktemp("filled")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DAGSTER_HOME", str(home / "dagster_home"))
        project = Project(small_settings(home / "data", models=FEW))
        last = project.span[1]
        weeks = [last.previous.previous, last.previous, last]
        run_week(project, last, QUIET)
        serving = current(project.root)
        lines, failed = said_by(project, weeks[::-1])
        yield Filled(project, weeks, serving, lines, failed, made(runs()))


def test_weeks_are_made_oldest_first_one_run_each_with_no_fan_out(filled: Filled) -> None:
    oldest, middle, last = filled.weeks
    window = [week.key for week in filled.project.window(last)[:-1]]
    earlier = [week.key for week in filled.project.window(oldest)[:-1] if week.key not in window]
    assert filled.runs == [
        *(("ingest", week) for week in window),
        ("weekly", last.key),
        *(("ingest", week) for week in earlier),
        ("weekly", oldest.key),
        ("weekly", middle.key),
    ]


def test_a_line_a_week_says_how_long_it_took_and_what_it_became(filled: Filled) -> None:
    assert not filled.failed
    ids = {each.week: each.id for each in publications(filled.project.root)}
    took = [r" +\d+\.\d s  ", r" +\d+\.\d s  ", "    as it is  "]
    for line, week, between in zip(filled.lines, filled.weeks, took, strict=True):
        assert re.fullmatch(f"{week.key}{between}{ids[week.key]}", line)


def test_older_weeks_are_published_beside_the_newest_which_goes_on_serving(filled: Filled) -> None:
    found = publications(filled.project.root)
    assert [each.week for each in found] == [week.key for week in filled.weeks]
    assert all(each.is_whole() for each in found)
    assert filled.serving is not None
    assert current(filled.project.root) == filled.serving


def test_a_forced_week_is_made_again_and_is_the_same_publication(
    filled: Filled, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAGSTER_HOME", str(filled.project.root.parent / "dagster_home"))
    before = runs()
    _, failed = said_by(filled.project, filled.weeks[-1:], force=True)
    assert not failed
    assert made(runs())[len(before) :] == [("weekly", filled.weeks[-1].key)]
    # Older weeks published meanwhile are not among its parents, and change nothing.
    assert current(filled.project.root) == filled.serving
    assert len(publications(filled.project.root)) == 3


@pytest.mark.parametrize("stop", [True, False])
def test_a_failed_week_stops_the_others_by_choice_only(project: Project, stop: bool) -> None:
    first = project.span[0]
    # A folder where the file has to go: nothing can be written there.
    (project.root / "prepared" / "hdf5" / f"{first.key}.h5").mkdir(parents=True)
    lines, failed = said_by(project, [first, first.next], stop=stop)
    assert failed == [first]
    assert f"{first.key}" in lines[0]
    assert "failed: prepared/hdf5" in "".join(lines)
    assert len(publications(project.root)) == (0 if stop else 1)


def test_weeks_are_all_of_the_source_unless_named(project: Project) -> None:
    first, last = project.span
    assert len(weeks_of(project, None, None)) == 6
    assert weeks_of(project, None, first.key) == [first]
    assert weeks_of(project, last.previous.key, None) == [last.previous, last]
    with pytest.raises(ValueError, match="is not in the source yet"):
        weeks_of(project, "2031-01-06", None)
    with pytest.raises(ValueError, match="swap them"):
        weeks_of(project, last.key, first.key)


def test_weeks_end_with_the_newest_that_is_over(tmp_path: Path) -> None:
    """The source has rows of this week already: a week that runs is not back-filled."""
    running = Week.of(datetime.now(UTC))
    (tmp_path / "in").mkdir()
    days = [week.monday for week in (running.previous.previous, running.previous, running)]
    rows = pd.DataFrame({"user_id": "u", "item_id": "i", "timestamp": days})
    rows.to_csv(tmp_path / "in" / "interactions.csv", index=False)
    files = {"source": "files", "data_path": tmp_path / "in", "files": {"time_unit": "iso"}}
    project = Project(small_settings(tmp_path / "data", **files))
    assert project.span[1] == running
    assert weeks_of(project, None, None)[-1] == project.week() == running.previous
    with pytest.raises(ValueError, match=f"week {running.key} is not over yet: wait for its end"):
        weeks_of(project, None, running.key)


def test_the_command_prints_a_line_a_week_and_fails_with_the_list(tmp_path: Path) -> None:
    (tmp_path / "collie.toml").write_text(SMALL)
    (tmp_path / "data/demo/prepared/hdf5/2026-01-05.h5").mkdir(parents=True)
    few = {"COLLIE_MODELS__NAMES": "popularity"}
    done = collie(tmp_path, "backfill", "2026-01-05", "2026-01-12", **few)
    assert done.returncode == 1
    assert [line.split()[0] for line in done.stdout.splitlines()] == ["2026-01-05", "2026-01-12"]
    assert "1 of 2 weeks failed: 2026-01-05" in done.stderr
    assert "Traceback" not in done.stdout + done.stderr
