"""A user who is erased is in no export: not in what serves, nor in what the one before left."""

from contextlib import closing
from pathlib import Path

import pandas as pd
import pytest
from postgres_server import PASSWORD, Server
from publishing import model_of
from small_project import small_settings

from collie_core.bundle import save_bundle
from collie_pipeline.erasing import Erasure, ErasureError, Who, erase_user, search
from collie_pipeline.exports import export, targets
from collie_pipeline.project import Project
from collie_pipeline.running import dagster_home
from collie_pipeline.storage import Publication, publish

WEEKS = ("2026-01-05", "2026-01-12")
IDS = ["7", "O'Brien"]
OTHER = "somebody"


@pytest.fixture(params=IDS)
def user_id(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def published(root: Path, week: str, user_id: str) -> Publication:
    """Publish lists of users whom the model knows, as it does an item called 7."""
    ids = {
        "user_id": [OTHER, user_id, "third"],
        "item_id": ["7", "b", "c", "d", "e"],
    }  # an item called 7
    bundle = root / f"{week}.bundle"
    bundle.parent.mkdir(parents=True, exist_ok=True)
    save_bundle(model_of(3), bundle, ids)
    users = pd.DataFrame(
        {"user_id": ids["user_id"], "rank": 1, "item_id": "7", "score": 1.0, "source": "champion"}
    )
    users = users.astype({"rank": "int16", "score": "float32"})
    return publish(root, {"users": users}, bundle, {"week": week, "model": "made"})


def exported(folder: Path, user_id: str, **exports: object) -> Project:
    """Return a project with two weeks exported, the second over the first."""
    project = Project(small_settings(folder / "data", exports=exports))
    for week in WEEKS:
        export(published(project.root, week, user_id), project.settings)
    return project


def in_postgres(folder: Path, server: Server, schema: str, user_id: str) -> Project:
    return exported(
        folder,
        user_id,
        postgres=True,
        postgres_url=server.url,
        postgres_schema=schema,
        lock_seconds=0.5,
    )


def told(project: Project, user_id: str) -> Erasure:
    return erase_user(project, dagster_home(), user_id, dry_run=True)


def test_vectors_are_searched_and_those_of_the_export_before_go(
    tmp_path: Path, user_id: str
) -> None:
    project = exported(tmp_path, user_id, vectors=True)
    [target] = targets(project.settings)
    assert len(target.rows_of(user_id)) == 2
    found = told(project, user_id).found
    assert sum(path.name == "users.parquet" for path in found) == 4  # two exports, two publications
    assert not any(path.name == "items.parquet" for path in found)
    erase_user(project, dagster_home(), user_id)
    assert target.rows_of(user_id) == {}
    assert search([project.root], Who(user_id)) == {}
    assert target.held().rows == {"items": 5, "users": 3}
    assert len(list((project.root / "exports" / "vectors").glob("*/index.json"))) == 1


def test_a_vector_that_no_export_replaces_is_removed(tmp_path: Path, user_id: str) -> None:
    project = exported(tmp_path, user_id, vectors=True)
    erase_user(Project(small_settings(project.root)), dagster_home(), user_id)
    vectors = project.root / "exports" / "vectors"
    assert list(vectors.glob("*/users.parquet")) == []
    assert len(list(vectors.glob("*/items.parquet"))) == 2


def test_a_duckdb_file_elsewhere_is_searched_and_written_anew(tmp_path: Path, user_id: str) -> None:
    pytest.importorskip("duckdb")
    project = exported(tmp_path, user_id, duckdb=tmp_path / "shop.db")
    assert told(project, user_id).exported == {"duckdb users": "1 rows"}
    erase_user(project, dagster_home(), user_id)
    assert told(project, user_id).exported == {}
    assert told(project, OTHER).exported == {"duckdb users": "1 rows"}


def test_a_duckdb_file_under_the_root_is_read_and_not_only_its_bytes(
    tmp_path: Path, user_id: str
) -> None:
    pytest.importorskip("duckdb")
    path = tmp_path / "data" / "shop.duckdb"
    project = exported(tmp_path, user_id, duckdb=path)
    without = Project(small_settings(project.root))
    assert told(without, user_id).found[path] == "1 rows"
    with pytest.raises(ErasureError, match=r"still in .*shop\.duckdb \(1 rows\)"):
        erase_user(without, dagster_home(), user_id)


def test_a_database_is_searched_and_exported_to_anew(
    tmp_path: Path, server: Server, schema: str, user_id: str
) -> None:
    project = in_postgres(tmp_path, server, schema, user_id)
    [table] = told(project, user_id).exported
    assert table.startswith("postgres users_20260112_")
    erase_user(project, dagster_home(), user_id)
    assert told(project, user_id).exported == {}
    [table] = told(project, OTHER).exported
    assert table.startswith("postgres users_20260112_")


def test_a_table_that_a_reader_holds_is_named_and_goes_the_next_time(
    tmp_path: Path, server: Server, schema: str, user_id: str
) -> None:
    project = in_postgres(tmp_path, server, schema, user_id)
    [place] = told(project, user_id).exported
    table = place.removeprefix("postgres ")
    with closing(server.connect()) as reader, reader.cursor() as cursor:
        cursor.execute(f"SELECT * FROM {schema}.{table}")  # the table, and not its view
        with pytest.raises(ValueError, match=f"readers held table {table} of schema {schema}"):
            erase_user(project, dagster_home(), user_id)
    erase_user(project, dagster_home(), user_id)
    assert told(project, user_id).exported == {}


def test_a_table_that_others_are_made_of_is_named(
    tmp_path: Path, server: Server, schema: str, user_id: str
) -> None:
    project = in_postgres(tmp_path, server, schema, user_id)
    [place] = told(project, user_id).exported
    table = place.removeprefix("postgres ")
    with closing(server.connect()) as connection, connection, connection.cursor() as cursor:
        cursor.execute(f"CREATE VIEW {schema}.theirs AS SELECT * FROM {schema}.{table}")
    with pytest.raises(ValueError, match=f"table {table} of schema {schema} cannot be dropped"):
        erase_user(project, dagster_home(), user_id)
    with closing(server.connect()) as connection, connection, connection.cursor() as cursor:
        cursor.execute(f"DROP VIEW {schema}.theirs")
    erase_user(project, dagster_home(), user_id)
    assert told(project, user_id).exported == {}


def test_a_database_that_is_not_reached_stops_an_erasure_before_it_begins(
    tmp_path: Path, server: Server, schema: str
) -> None:
    project = in_postgres(tmp_path, server, schema, "user-1")
    server.stop()
    try:
        with pytest.raises(ValueError, match="no server is there") as said:
            erase_user(project, dagster_home(), "user-1")
    finally:
        server.start()
    assert PASSWORD not in str(said.value)
    assert not (project.root / "erased.json").exists()
