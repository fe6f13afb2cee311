"""The asset of exports, in the whole graph on the real storage and a real server."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import dagster as dg
import pandas as pd
import pytest
from postgres_server import PASSWORD, Server
from rich.console import Console
from small_project import small_settings

from collie_pipeline.definitions import make_definitions
from collie_pipeline.exports import targets
from collie_pipeline.project import Project
from collie_pipeline.running import RunError, run_week
from collie_pipeline.storage import current

QUIET = Console(quiet=True)
FEW = {"names": ["popularity"]}
KEY = dg.AssetKey(["recommendations", "exports"])


def project_of(folder: Path, url: str, schema: str) -> Project:
    exports = {
        "duckdb": folder / "collie.duckdb",
        "postgres": True,
        "postgres_url": url,
        "postgres_schema": schema,
        "vectors": True,
        "lock_seconds": 1,
    }
    return Project(small_settings(folder / "data", models=FEW, exports=exports))


@pytest.fixture
def schema(server: Server) -> Iterator[str]:
    yield "asset"
    with closing(server.connect()) as connection, connection, connection.cursor() as cursor:
        cursor.execute("DROP SCHEMA IF EXISTS asset CASCADE")


def latest(instance: dg.DagsterInstance, key: dg.AssetKey) -> dg.AssetMaterialization | None:
    records = instance.fetch_materializations(key, limit=1).records
    return records[0].asset_materialization if records else None


def bytes_below(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


def test_without_an_export_there_is_no_such_asset(project: Project) -> None:
    keys = make_definitions(project).resolve_asset_graph().get_all_asset_keys()
    assert KEY not in keys


def test_the_asset_comes_after_the_publication(tmp_path: Path, server: Server) -> None:
    definitions = make_definitions(project_of(tmp_path, server.url, "asset"))
    dg.Definitions.validate_loadable(definitions)
    made = definitions.resolve_assets_def(KEY)
    assert made.dependency_keys == {dg.AssetKey(["recommendations", "publication"])}
    assert [spec.name for spec in made.check_specs] == ["exported_as_published"]
    assert made.op.retry_policy is not None


@pytest.mark.slow
def test_a_week_is_exported_and_an_older_one_is_not_and_no_password_is_kept(
    tmp_path: Path, server: Server, schema: str
) -> None:
    project = project_of(tmp_path, server.url, schema)
    last = project.span[1]
    run_week(project, last, QUIET)
    serving = current(project.root)
    assert serving is not None
    for target in targets(project.settings):
        assert target.held().publication == serving.id
    table = pd.read_parquet(project.root / "recommendations" / "exports" / f"{last.key}.parquet")
    assert set(table["target"]) >= {"duckdb", "postgres"}
    assert (table["publication"] == serving.id).all()

    run_week(project, last.previous, QUIET)
    older = project.root / "recommendations" / "exports" / f"{last.previous.key}.parquet"
    assert pd.read_parquet(older).empty
    assert {target.held().publication for target in targets(project.settings)} == {serving.id}
    kept = bytes_below(tmp_path)
    assert b"w0rd-of-the-tests" not in kept
    assert str(server.home).encode() not in kept


@pytest.mark.slow
def test_an_export_that_fails_is_red_and_the_publication_serves(
    tmp_path: Path, server: Server
) -> None:
    wrong = server.url.replace("w0rd", "swordfish")
    project = project_of(tmp_path, wrong, "asset")
    said = r"recommendations/exports: .* serves, but not from every export\npostgres: .*refuses"
    with pytest.raises(RunError, match=said) as refusal:
        run_week(project, project.span[1], QUIET)
    serving = current(project.root)
    assert serving is not None
    assert serving.week == project.span[1].key
    held = {target.name: target for target in targets(project.settings)}
    assert held["duckdb"].held().publication == serving.id
    with dg.DagsterInstance.get() as instance:
        assert latest(instance, dg.AssetKey(["recommendations", "publication"])) is not None
        assert latest(instance, KEY) is None
    kept = bytes_below(tmp_path) + str(refusal.value).encode()
    for secret in ("swordfish", PASSWORD, str(server.home)):
        assert secret.encode() not in kept
