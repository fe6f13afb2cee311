"""Exporting to all targets: only what serves, one at a time, and each for itself."""

import fcntl
import subprocess
import sys
from pathlib import Path

import pytest
from publishing import published
from small_project import small_settings
from typer.testing import CliRunner

from collie_pipeline.cli import app
from collie_pipeline.exports import (
    Exported,
    ExportError,
    NotServingError,
    compared,
    export,
    targets,
)
from collie_pipeline.settings import Settings

WEEKS = ("2026-01-05", "2026-01-12")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return settings_of(tmp_path)


def settings_of(folder: Path, **changes: object) -> Settings:
    own = {"duckdb": folder / "shop" / "collie.duckdb", "vectors": True}
    return small_settings(folder / "data", exports={**own, **changes})


def test_nothing_is_exported_unless_it_is_asked_for(tmp_path: Path) -> None:
    assert targets(small_settings(tmp_path)) == []


def test_every_target_gets_what_serves(settings: Settings) -> None:
    publication = published(settings.root, WEEKS[0])
    done = export(publication, settings)
    assert [(each.target, each.publication) for each in done] == [
        ("duckdb", publication.id),
        ("vectors", publication.id),
    ]
    assert {target.held().publication for target in targets(settings)} == {publication.id}
    finding = compared(done, settings)
    assert finding.passed
    assert finding.numbers == {"targets": 2, "rows": 42 + 25}


def test_what_does_not_serve_is_refused(settings: Settings) -> None:
    older, newer = (published(settings.root, week) for week in WEEKS)
    export(newer, settings)
    with pytest.raises(NotServingError, match=f"{older.id} does not serve, {newer.id} does"):
        export(older, settings)
    assert {target.held().publication for target in targets(settings)} == {newer.id}


def test_what_serves_after_a_roll_back_takes_the_place(settings: Settings) -> None:
    older, newer = (published(settings.root, week) for week in WEEKS)
    export(newer, settings)
    (settings.root / "publications" / "CURRENT").write_text(older.id)
    export(older, settings)
    assert {target.held().publication for target in targets(settings)} == {older.id}


@pytest.mark.parametrize(
    ("end", "said"), [(b"", "users.parquet is gone or cut"), (b"!", "is damaged")]
)
def test_a_damaged_publication_is_not_exported(settings: Settings, end: bytes, said: str) -> None:
    publication = published(settings.root, WEEKS[0])
    users = publication.table("users")
    users.write_bytes(users.read_bytes()[:-1] + end)
    with pytest.raises(ValueError, match=said):
        export(publication, settings)
    assert not (settings.root.parent / "shop").exists()


def test_a_target_that_fails_keeps_no_other_from_being_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    settings = settings_of(tmp_path, duckdb=tmp_path / "file" / "collie.duckdb")
    publication = published(settings.root, WEEKS[0])
    with pytest.raises(ExportError, match=rf"{publication.id} serves, but .*\nduckdb: .*file"):
        export(publication, settings)
    assert targets(settings)[1].held().publication == publication.id


def test_what_was_changed_afterwards_is_found(settings: Settings) -> None:
    done = export(published(settings.root, WEEKS[0]), settings)
    lost = [Exported(each.target, each.publication, {"users": 7}, 0.0) for each in done]
    finding = compared(lost, settings)
    assert not finding.passed
    assert "duckdb holds 2026-01-05" in finding.said
    (settings.root.parent / "shop" / "collie.duckdb").unlink()
    assert "is not there: use `collie export`" in compared(done, settings).said


def test_an_export_waits_for_the_end_of_another(settings: Settings) -> None:
    published(settings.root, WEEKS[0])
    code = (
        "import sys; from collie_pipeline.exports import export; "
        "from collie_pipeline.settings import load_settings; "
        "from collie_pipeline.storage import current; s = load_settings(root=sys.argv[1], "
        "exports={'vectors': True}); print('begins', flush=True); export(current(s.root), s)"
    )
    with (settings.root / ".exports.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        process = subprocess.Popen(
            [sys.executable, "-c", code, str(settings.root)], stdout=subprocess.PIPE
        )
        assert process.stdout is not None
        process.stdout.readline()
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(1)
        later = published(settings.root, WEEKS[1])
    assert process.wait(60) == 1  # by now a later one serves, which has an export of its own
    process.stdout.close()
    assert not (settings.root / "exports" / "vectors" / "CURRENT").exists()
    assert later.id


@pytest.fixture
def environment(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("COLLIE_ROOT", str(settings.root))
    monkeypatch.setenv("COLLIE_EXPORTS__DUCKDB", str(settings.exports.duckdb))
    return settings


def test_the_command_exports_what_serves(environment: Settings) -> None:
    publication = published(environment.root, WEEKS[0])
    said = CliRunner().invoke(app, ["export"])
    assert said.exit_code == 0
    assert f"{publication.id}  duckdb" in said.output
    assert "41 users, 1 similar_items, 0 new_items" in said.output


def test_the_command_takes_the_beginning_of_an_id(environment: Settings) -> None:
    for week in WEEKS:
        published(environment.root, week)
    assert CliRunner().invoke(app, ["export", WEEKS[1]]).exit_code == 0
    assert "does not serve" in CliRunner().invoke(app, ["export", WEEKS[0]]).output
    assert "2 publications are called '2026'" in CliRunner().invoke(app, ["export", "2026"]).output


def test_the_command_without_a_target_says_how_to_set_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLLIE_EXPORTS__DUCKDB", raising=False)
    said = CliRunner().invoke(app, ["export"])
    assert said.exit_code == 1
    assert "no export is set: set exports.duckdb" in said.output
