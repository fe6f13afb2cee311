"""The whole graph on the real storage, through the real instance."""

import hashlib
import json
import shutil
from pathlib import Path

import dagster as dg
import numpy as np
import pandas as pd
import pytest
from rich.console import Console
from small_project import small_settings

from collie_pipeline.due import published
from collie_pipeline.project import Project
from collie_pipeline.records import last_made, metadata_of
from collie_pipeline.running import run_week
from collie_pipeline.storage import current, publications

QUIET = Console(quiet=True)


@pytest.fixture(scope="module")
def two_weeks(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project whose last two weeks were run, one after the other."""
    home = tmp_path_factory.mktemp("two_weeks")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DAGSTER_HOME", str(home / "dagster_home"))
        patch.chdir(home)
        project = Project(small_settings(home / "data"))
        last = project.span[1]
        for week in (last.previous, last):
            run_week(project, week, QUIET)
    return project


def hashes(root: Path) -> dict[str, str]:
    return {
        file.relative_to(root).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(root.rglob("*"))
        if file.is_file()
    }


def table(project: Project, name: str) -> pd.DataFrame:
    serving = current(project.root)
    assert serving is not None
    return pd.read_parquet(serving.table(name))


def test_both_weeks_are_published_and_the_later_one_serves(two_weeks: Project) -> None:
    last = two_weeks.span[1]
    assert [each.week for each in publications(two_weeks.root)] == [last.previous.key, last.key]
    serving = current(two_weeks.root)
    assert serving is not None
    assert serving.week == last.key
    assert serving.is_whole()
    assert serving.manifest["parent"]["id"] == publications(two_weeks.root)[0].id


def test_the_weeks_of_the_window_were_made_first(two_weeks: Project) -> None:
    made = {file.stem for file in (two_weeks.root / "prepared" / "clean").glob("*.parquet")}
    assert {week.key for week in two_weeks.window(two_weeks.span[1])} <= made


def test_every_user_has_k_items_or_a_reason(two_weeks: Project) -> None:
    lists = table(two_weeks, "users")
    full = lists[lists["rank"] > 0].groupby("user_id").size()
    short = set(lists.loc[lists["rank"] == 0, "user_id"])
    assert set(full[full < 10].index) <= short
    assert set(lists["source"]) <= {"champion", "popularity", "too_few_candidates"}
    known = pd.read_parquet(two_weeks.root / "raw" / "users" / f"{two_weeks.span[1].key}.parquet")
    assert set(known["user_id"].astype(str)) <= set(lists["user_id"])


def test_nobody_is_recommended_what_they_have_met(two_weeks: Project) -> None:
    window = [week.key for week in two_weeks.window(two_weeks.span[1])]
    clean = pd.concat(
        pd.read_parquet(two_weeks.root / "prepared" / "clean" / f"{week}.parquet")
        for week in window
    )
    met = set(zip(clean["user_id"], clean["item_id"], strict=True))
    lists = table(two_weeks, "users").dropna(subset="item_id")
    assert not met & set(zip(lists["user_id"], lists["item_id"], strict=True))


def test_lists_are_sorted_and_best_first(two_weeks: Project) -> None:
    lists = table(two_weeks, "users")
    assert lists.equals(lists.sort_values(["user_id", "rank"], ignore_index=True))
    scored = lists[lists["rank"] > 0]
    falls = scored.groupby("user_id")["score"].diff().dropna()
    assert (falls <= 0).all()
    assert not scored.duplicated(["user_id", "item_id"]).any()


def test_tables_have_the_columns_of_the_design(two_weeks: Project) -> None:
    types = {
        "users": "user_id str, rank int16, item_id str, score float32, source str",
        "similar_items": "item_id str, rank int16, similar_item_id str, score float32",
        "new_items": "bucket str, rank int16, item_id str, score float32",
    }
    for name, expected in types.items():
        columns = table(two_weeks, name).dtypes
        assert ", ".join(f"{column} {kind}" for column, kind in columns.items()) == expected


def test_no_model_saw_the_test_week(two_weeks: Project) -> None:
    import h5py

    last = two_weeks.span[1]
    for part in ("train", "validation"):
        with h5py.File(two_weeks.root / "prepared" / part / f"{last.key}.h5") as file:
            newest = file["interactions/timestamp"][:].max()
        assert newest < last.start.timestamp() * 1e6


def test_the_board_has_every_model_on_the_same_users(two_weeks: Project) -> None:
    path = two_weeks.root / "evaluation" / "leaderboard" / f"{two_weeks.span[1].key}.parquet"
    board = pd.read_parquet(path)
    assert set(board["model"]) == set(two_weeks.settings.models.names)
    assert len(set(board["users"])) == 1
    assert (np.diff(board["mapk"]) <= 0).all()
    assert ((board["mapk_low"] <= board["mapk"]) & (board["mapk"] <= board["mapk_high"])).all()


def test_the_board_says_what_each_model_took(two_weeks: Project) -> None:
    key, week = dg.AssetKey(["evaluation", "leaderboard"]), two_weeks.span[1].key
    with dg.DagsterInstance.from_config(str(two_weeks.root.parent / "dagster_home")) as instance:
        shown = str(metadata_of(last_made(instance, key, week))["leaderboard"])
    heading, _, *lines = [line.split("|")[1:-1] for line in shown.splitlines()]
    place = [cell.strip() for cell in heading].index("seconds")
    assert len(lines) == len(two_weeks.settings.models.names)
    assert all(float(line[place]) >= 0 for line in lines)


def test_the_second_week_was_held_against_the_first(two_weeks: Project) -> None:
    path = two_weeks.root / "evaluation" / "champion" / f"{two_weeks.span[1].key}.parquet"
    decision = pd.read_parquet(path).iloc[0]
    assert decision["serving"] == publications(two_weeks.root)[0].id
    assert decision["gap_low"] <= decision["gap"] <= decision["gap_high"]


def test_a_published_week_is_known_to_be_done(two_weeks: Project) -> None:
    done = published(two_weeks, two_weeks.span[1])
    assert done is not None
    assert done == current(two_weeks.root)


@pytest.fixture(scope="module")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the newest week was run."""
    home = tmp_path_factory.mktemp("one_week")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DAGSTER_HOME", str(home / "dagster_home"))
        patch.chdir(home)
        project = Project(small_settings(home / "data"))
        run_week(project, project.span[1], QUIET)
    return home


@pytest.fixture
def one_week(made_once: Path, tmp_path: Path) -> Project:
    """A project of its own for each test, as if its newest week had been run there."""
    shutil.copytree(made_once, tmp_path, dirs_exist_ok=True)
    return Project(small_settings(tmp_path / "data"))


def test_the_same_run_twice_gives_the_same_bytes(one_week: Project) -> None:
    before = hashes(one_week.root)
    run_week(one_week, one_week.span[1], QUIET, force=True)
    assert hashes(one_week.root) == before


def test_other_settings_are_another_publication(one_week: Project) -> None:
    changed = Project(small_settings(one_week.root, seed=1))
    assert published(changed, changed.span[1]) is None


def test_a_damaged_publication_is_made_again(one_week: Project) -> None:
    serving = current(one_week.root)
    assert serving is not None
    content = serving.table("users").read_bytes()
    serving.table("users").write_bytes(content[:-1])
    assert published(one_week, one_week.span[1]) is None
    run_week(one_week, one_week.span[1], QUIET)
    again = current(one_week.root)  # in a folder of its own: the damaged one served meanwhile
    assert again is not None
    assert again.id == serving.id
    assert again.table("users").read_bytes() == content


def test_the_manifest_says_what_the_tables_were_made_of(one_week: Project) -> None:
    serving = current(one_week.root)
    assert serving is not None
    manifest = json.loads((serving.path / "manifest.json").read_text())
    assert manifest["window"] == [week.key for week in one_week.window(one_week.span[1])]
    assert manifest["rows"] == {
        name: len(pd.read_parquet(serving.table(name)))
        for name in ("users", "similar_items", "new_items")
    }
    assert manifest["inputs"] == one_week.fingerprint(one_week.span[1])
    assert manifest["parent"] is None
