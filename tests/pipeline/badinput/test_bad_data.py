"""Every kind of bad data through the real graph, from files to what serves."""

import shutil
from collections.abc import Iterator
from datetime import date
from io import StringIO
from pathlib import Path

import pandas as pd
import pytest
from graph_kinds import SMALL_LIGHT, STOPPED, Stopped, newcomers, oddities
from id_kinds import AS_IS
from rich.console import Console
from small_files import project_of, rows

from collie_pipeline.project import Project
from collie_pipeline.running import RunError, run_week
from collie_pipeline.storage import Publication, current

pytestmark = pytest.mark.slow


def serving(project: Project) -> Publication:
    found = current(project.root)
    assert found is not None
    return found


def run(project: Project) -> str:
    """Run the newest week that is over; what was printed."""
    printed = StringIO()
    run_week(project, project.week(), Console(file=printed))
    return printed.getvalue()


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Project, str]]:
    """A project with everything odd that is published, and what its run printed."""
    folder = tmp_path_factory.mktemp("odd")
    (folder / "files").mkdir()
    table, items = oddities()
    items.to_csv(folder / "files" / "items.csv", index=False)
    project = project_of(folder / "files", table, **SMALL_LIGHT, recommend={"k": 25})
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DAGSTER_HOME", str(folder / "dagster_home"))
        yield project, run(project)


@pytest.fixture
def published(odd: tuple[Project, str], tmp_path: Path) -> Path:
    """A folder of its own with what `odd` published."""
    shutil.copytree(odd[0].root, tmp_path / "data")
    (tmp_path / "files").mkdir()
    return tmp_path / "files"


def test_short_lists_have_the_reason_and_a_user_with_every_item_has_it_alone(
    odd: tuple[Project, str],
) -> None:
    lists = pd.read_parquet(serving(odd[0]).table("users"))
    assert (lists[lists["rank"] > 0].groupby("user_id").size() < 25).all()
    assert set(lists.loc[lists["rank"] == 0, "user_id"]) == set(lists["user_id"])
    assert lists.loc[lists["user_id"] == "all", "source"].tolist() == ["too_few_candidates"]


def test_ids_are_published_as_they_are(odd: tuple[Project, str]) -> None:
    tables = serving(odd[0])
    lists, similar = (pd.read_parquet(tables.table(name)) for name in ("users", "similar_items"))
    assert set(AS_IS.values()) <= set(lists["user_id"])
    assert set(AS_IS.values()) <= set(lists["item_id"].dropna())
    assert set(AS_IS.values()) <= set(similar["item_id"])


def test_metadata_is_neither_asked_for_nor_made_up(odd: tuple[Project, str]) -> None:
    project, printed = odd
    key = project.week().key
    lists = pd.read_parquet(serving(project).table("users"))
    features = pd.read_parquet(project.root / "prepared" / "item_features" / f"{key}.parquet")
    assert "unheard of" not in set(lists["item_id"]) | set(features["item_id"])
    bucket = features.set_index("item_id")["bucket"]
    assert (bucket["i4"], bucket["i5"], bucket["<script>alert(1)</script>"]) == (
        "unknown",
        "unknown",
        "War",
    )
    assert "known_items warns" in printed
    assert bucket["i6"] == "War"  # as the last of its rows says
    assert "unique_ids warns" in printed


def test_a_row_in_the_future_is_in_quarantine(odd: tuple[Project, str]) -> None:
    project, _ = odd
    assert project.span[1].monday == date(2026, 1, 26)
    folder = project.root / "prepared" / "quarantine"
    refused = pd.read_parquet(folder / f"{project.week().key}.parquet")
    assert refused["reason"].tolist() == ["timestamp_outside_week"]


def test_one_user_is_published(tmp_path: Path) -> None:
    (tmp_path / "files").mkdir()
    project = project_of(tmp_path / "files", rows(users=1), **SMALL_LIGHT)
    run(project)
    lists = pd.read_parquet(serving(project).table("users"))
    assert lists["source"].tolist() == ["too_few_candidates"]


def test_cold_test_users_are_counted_and_get_lists(tmp_path: Path) -> None:
    (tmp_path / "files").mkdir()
    project = project_of(tmp_path / "files", newcomers(), **SMALL_LIGHT)
    run(project)
    key = project.week().key
    board = pd.read_parquet(project.root / "evaluation" / "leaderboard" / f"{key}.parquet")
    assert (board["cold_users"] == board["users"]).all()
    lists = pd.read_parquet(serving(project).table("users"))
    assert lists["user_id"].nunique() == 24


def test_rows_without_ratings_are_positives_where_that_is_said(published: Path) -> None:
    table = rows().drop(columns="rating")
    project = project_of(
        published, table, **SMALL_LIGHT, prepare={"unrated_are_positives": True, "min_rating": 4}
    )
    before = serving(project)
    run(project)
    assert serving(project).id != before.id


def test_ratings_that_are_asked_for_have_to_be_there_the_first_time(tmp_path: Path) -> None:
    (tmp_path / "files").mkdir()
    table = rows().drop(columns="rating")
    project = project_of(tmp_path / "files", table, **SMALL_LIGHT, prepare={"min_rating": 4})
    with pytest.raises(RunError, match=r"no column rating, and prepare\.min_rating asks for one"):
        run(project)


@pytest.mark.parametrize("kind", STOPPED, ids=lambda kind: kind.name)
def test_what_was_published_serves_on_and_the_error_says_why(
    kind: Stopped, published: Path
) -> None:
    project = project_of(published, kind.table(), **{**SMALL_LIGHT, **kind.settings})
    before = serving(project)
    with pytest.raises(RunError) as refusal:
        run(project)
    place = -1
    for part in kind.error:
        place = str(refusal.value).find(part, place + 1)
        assert place >= 0, f"{part!r} is not in its place in {refusal.value}"
    assert serving(project).id == before.id
    assert before.is_whole()
    assert not [path for path in project.root.rglob("*") if path.name.endswith(".tmp")]
