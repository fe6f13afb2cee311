"""A user who is erased is nowhere, and does not come in again."""

import json
import os
import sqlite3
from contextlib import closing
from pathlib import Path

import dagster as dg
import numpy as np
import pandas as pd
import pytest
from rich.console import Console
from small_project import small_settings

from collie_core.bundle import load_model, read_bundle, save_bundle
from collie_core.interactions import Interactions
from collie_core.model import ARCHITECTURES
from collie_core.utils import pandas_df_to_hdf5
from collie_pipeline.due import published
from collie_pipeline.erasing import ERASERS, ErasureError, Who, erase_user, search
from collie_pipeline.erasing.dagster_storage import GONE
from collie_pipeline.project import Project
from collie_pipeline.running import dagster_home, run_week
from collie_pipeline.storage import Publication, current, publications, publish, rollback
from collie_pipeline.verifying import faults

ONE, TEN = "user-1", "user-10"
PREVIEW = {"md_str": f"| user_id | rank |\n| --- | --- |\n| {ONE} | 1 |"}


def bundle_at(path: Path, user_ids: list[str]) -> None:
    users = np.arange(len(user_ids)).repeat(2)
    train = Interactions(
        users=users, items=np.tile([0, 1], len(user_ids)), num_items=3, num_negative_samples=1
    )
    model = ARCHITECTURES["matrix_factorization"](train=train, embedding_dim=2)
    path.parent.mkdir(parents=True, exist_ok=True)
    save_bundle(model, path, {"user_id": user_ids, "item_id": ["a", "b", "c"]})


def lists_of(*user_ids: str) -> pd.DataFrame:
    return pd.DataFrame(
        {"user_id": user_ids, "rank": 1, "item_id": "a", "score": 1.0, "source": "champion"}
    )


@pytest.fixture
def kept(project: Project) -> Project:
    """Files of every kind under a root, with users one of whose ids begins the other's."""
    root, home = project.root, dagster_home()
    for key in ("prepared/clean", "recommendations/users", "evaluation/ease"):
        path = root / key / "2026-01-05.parquet"
        path.parent.mkdir(parents=True)
        lists_of(ONE, TEN, f" {ONE} ").to_parquet(path)
    h5 = root / "prepared" / "hdf5" / "2026-01-05.h5"
    h5.parent.mkdir()
    rows = pd.DataFrame({"user_id": [0, 1, 1], "item_id": [0, 1, 2], "timestamp": [1, 2, 3]})
    pandas_df_to_hdf5(rows, h5, ids={"user_id": [ONE, TEN], "item_id": ["a", "b", "c"]})
    only = h5.with_name("2026-01-12.h5")
    pandas_df_to_hdf5(rows[:1], only, ids={"user_id": [ONE], "item_id": ["a"]})
    model = root / "models" / "matrix_factorization" / "2026-01-05.bundle"
    bundle_at(model, [ONE, TEN])
    tables = {"users": lists_of(ONE, TEN)}
    first = publish(root, tables, model, {"week": "2026-01-05", "parent": None})
    parent = {"id": first.id, "sha256": first.sha256}
    others = {"users": lists_of(TEN)}
    elsewhere = root / "other.bundle"
    bundle_at(elsewhere, [TEN])
    publish(root, others, elsewhere, {"week": "2026-01-12", "parent": parent})
    (root / "logs").mkdir()
    (root / "logs" / "report.html").write_text(f"<td>{ONE}</td><td>{TEN}</td>")
    (root / "logs" / ".x.tmp").write_text(ONE)
    (root / "checkpoints").mkdir()
    (root / "checkpoints" / "a.ckpt").write_bytes(b"vectors")
    with closing(sqlite3.connect(home / "events.db")) as events:
        events.execute("CREATE TABLE event_logs (id INTEGER, event TEXT)")
        said = (json.dumps(PREVIEW), f"no list for {ONE}, but for {TEN}")
        events.executemany("INSERT INTO event_logs VALUES (0, ?)", [(each,) for each in said])
        events.commit()
    return project


def test_nothing_tells_of_the_user_and_all_of_the_others(kept: Project) -> None:
    home = dagster_home()
    before = search([kept.root, home], Who(TEN))
    found = erase_user(kept, home, ONE).found
    kinds = {path.suffix for path in found}
    assert kinds == {".parquet", ".h5", ".bundle", ".html", ".tmp", ".db"}
    assert search([kept.root, home], Who(ONE)) == {}
    after = search([kept.root, home], Who(TEN))
    assert len(after) == len(before)
    assert not any(content_tells(path, ONE) for path in kept.root.rglob("*.*") if path.is_file())
    assert not (kept.root / "checkpoints").exists()
    assert not (kept.root / "prepared" / "hdf5" / "2026-01-12.h5").exists()  # nobody else was in it


def content_tells(path: Path, user_id: str) -> bool:
    text = path.read_bytes().decode("latin-1")
    return Who(user_id).is_in(text.replace(TEN, ""))


def test_publications_are_made_anew_whole_and_linked(kept: Project) -> None:
    before = publications(kept.root)
    erase_user(kept, dagster_home(), ONE)
    first, second = publications(kept.root)
    assert {first.id, second.id}.isdisjoint(each.id for each in before)
    assert not any(faults(kept.root).values())
    assert current(kept.root) == second
    assert second.parent == first.id
    assert second.manifest["parent"]["sha256"] == first.sha256
    assert [each.manifest["erased"] for each in (first, second)] == [1, 0]
    assert list(first.read("users")["user_id"]) == [TEN]
    assert first.manifest["rows"] == {"users": 1}
    assert rollback(kept.root) == first


def test_one_user_after_another_leaves_nobody_and_no_loose_end(kept: Project) -> None:
    first, second = (each.id for each in publications(kept.root))
    for user_id in (ONE, TEN):
        erase_user(kept, dagster_home(), user_id)
        assert search([kept.root], Who(user_id)) == {}
    older, newer = publications(kept.root)
    assert older.manifest["replaces"][0] == first
    assert newer.manifest["replaces"][0] == second
    assert [len(each.manifest["replaces"]) for each in (older, newer)] == [2, 2]
    assert newer.parent == older.id
    ids = read_bundle(older.bundle).ids["user_id"]
    assert len(set(ids)) == 2
    assert all(each.startswith("erased-") for each in ids)


def test_events_lose_previews_and_names_and_keep_the_rest(kept: Project) -> None:
    erase_user(kept, dagster_home(), ONE)
    with closing(sqlite3.connect(dagster_home() / "events.db")) as events:
        preview, said = (each for (each,) in events.execute("SELECT event FROM event_logs"))
    assert json.loads(preview) == {"md_str": GONE}
    assert said.startswith("no list for erased-")
    assert said.endswith(f"but for {TEN}")


def test_a_dry_run_says_where_and_changes_nothing(kept: Project) -> None:
    files = {path: path.read_bytes() for path in kept.root.rglob("*") if path.is_file()}
    assert erase_user(kept, dagster_home(), ONE, dry_run=True).found
    assert files == {path: path.read_bytes() for path in kept.root.rglob("*") if path.is_file()}


def test_erasing_again_finds_nothing_and_changes_nothing(kept: Project) -> None:
    erase_user(kept, dagster_home(), ONE)
    before = publications(kept.root)
    assert erase_user(kept, dagster_home(), ONE).found == {}
    assert publications(kept.root) == before


def test_what_cannot_be_erased_is_an_error_that_names_it(kept: Project) -> None:
    (kept.root / "logs" / "dump.bin").write_bytes(b"\xff\xfe " + ONE.encode() + b" \x00")
    with pytest.raises(ErasureError, match=r"still in .*dump\.bin \(the id in its bytes\)"):
        erase_user(kept, dagster_home(), ONE)


def test_a_file_that_cannot_be_read_is_named_and_the_others_are_done(kept: Project) -> None:
    cut = kept.root / "evaluation" / "ease" / "2026-01-05.parquet"
    cut.write_bytes(cut.read_bytes()[:-9])
    with pytest.raises(ErasureError, match=r"2026-01-05\.parquet \(it cannot be read"):
        erase_user(kept, dagster_home(), ONE)
    assert list(search([kept.root], Who(ONE))) == [cut]


def test_a_database_of_another_kind_is_named_and_the_others_are_done(kept: Project) -> None:
    (kept.root / "shop.db").write_bytes(b"no SQLite " * 99)
    with pytest.raises(ErasureError, match=r"still in \S*shop\.db \(it cannot be read[^;]*$"):
        erase_user(kept, dagster_home(), ONE)


def test_a_damaged_publication_stops_an_erasure(kept: Project) -> None:
    publications(kept.root)[0].table("users").write_bytes(b"PAR1")
    with pytest.raises(ValueError, match="what they hold of the user cannot be told"):
        erase_user(kept, dagster_home(), ONE)


def test_a_run_at_work_stops_an_erasure(kept: Project) -> None:
    dagster_home()
    with dg.DagsterInstance.get() as instance:
        instance.add_run(
            dg.DagsterRun(job_name="weekly", run_id="at-work", status=dg.DagsterRunStatus.STARTED)
        )
    with pytest.raises(ValueError, match=r"runs are at work \(at-work\)"):
        erase_user(kept, dagster_home(), ONE)


def test_what_else_holds_users_is_asked_too(kept: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    exported = kept.root / "exports" / "users.csv"
    exported.parent.mkdir()
    exported.write_text(f"{ONE},1\n{TEN},1\n")
    asked: list[str] = []
    monkeypatch.setattr(
        "collie_pipeline.erasing.erasure.ERASERS",
        [*ERASERS, lambda project, user_id: asked.append(f"{project.root.name} {user_id}")],
    )
    erase_user(kept, dagster_home(), ONE)
    assert asked == [f"data {ONE}"]
    assert not exported.exists()  # nobody took the user out, and it can be made again


@pytest.mark.parametrize("blank", ["", "  "])
def test_nobody_is_refused(blank: str) -> None:
    with pytest.raises(ValueError, match="must be an id"):
        Who(blank)


@pytest.mark.slow
def test_a_whole_pipeline_forgets_and_goes_on(tmp_path: Path) -> None:
    names = {"names": ["popularity", "item_knn", "ease", "matrix_factorization", "cold_start"]}
    project = Project(small_settings(tmp_path / "data", models=names))
    week, home = project.span[1], dagster_home()
    run_week(project, week, Console(quiet=True))
    serving = current(project.root)
    assert serving is not None
    lists = serving.read("users")
    user_id = str(lists.loc[lists["source"] == "champion", "user_id"].iloc[0])
    assert len(erase_user(project, home, user_id).found) > 20
    assert not any(path for path in (tmp_path / "data").rglob("*.tmp"))
    for bundle in project.root.glob("models/**/*.bundle"):
        load_model(bundle)
        assert user_id not in read_bundle(bundle).ids["user_id"]
    assert published(project, week) is None  # models are to forget: the week is made again
    run_week(project, week, Console(quiet=True))
    again = published(project, week)
    assert isinstance(again, Publication)
    assert again == current(project.root)
    assert user_id not in set(again.read("users")["user_id"])
    assert not any(each.startswith("erased-") for each in again.read("users")["user_id"])
    assert search([project.root, home], Who(user_id)) == {}
    assert os.environ["DAGSTER_HOME"] == str(home)


def test_what_was_exported_is_exported_again_without_the_user(kept: Project) -> None:
    duckdb = pytest.importorskip("duckdb")
    path = kept.root.parent / "lists.duckdb"
    again = Project(small_settings(kept.root, exports={"duckdb": path}))
    serving = rollback(kept.root)  # the one with the user
    assert list(serving.read("users")["user_id"]) == [ONE, TEN]
    erase_user(again, dagster_home(), ONE)
    with duckdb.connect(str(path), read_only=True) as database:
        assert database.sql("select user_id from users").fetchall() == [(TEN,)]
