"""Column lineage of a real run, against the tables on disk."""

from collections.abc import Iterator
from typing import Any

import dagster as dg
import h5py
import pandas as pd
import pytest
from rich.console import Console
from small_project import small_settings

from collie_pipeline.definitions import make_definitions
from collie_pipeline.lineage import COMPUTED
from collie_pipeline.project import Project
from collie_pipeline.running import run_week

Columns = dict[str, list[tuple[str, str]]]


@pytest.fixture(scope="module")
def first_week(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """A project whose first week was run: it needs no other."""
    home = tmp_path_factory.mktemp("lineage")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DAGSTER_HOME", str(home / "dagster_home"))
        patch.chdir(home)
        few = {
            "names": ["popularity", "matrix_factorization", "cold_start"],
            "matrix_factorization": {"loss": "mse", "epochs": 1},
            "cold_start": {"epochs": 1},
        }
        project = Project(small_settings(home / "data", models=few))
        run_week(project, project.span[0], Console(quiet=True))
        yield project


@pytest.fixture(scope="module")
def lineage(first_week: Project) -> dict[str, Columns]:
    """What the metadata says by table: the columns that each column comes from."""
    home = str(first_week.root.parent / "dagster_home")
    with dg.DagsterInstance.from_config(home) as instance:
        return {key: columns_of(instance, key) for key in tables(first_week)}


def columns_of(instance: dg.DagsterInstance, key: str) -> Columns:
    event = instance.get_latest_materialization_event(dg.AssetKey(key.split("/")))
    assert event is not None
    assert event.asset_materialization is not None
    said: Any = event.asset_materialization.metadata.get("dagster/column_lineage")
    deps = {} if said is None else said.value.deps_by_column
    return {
        column: [(dep.asset_key.to_user_string(), dep.column_name) for dep in found]
        for column, found in deps.items()
    }


def tables(project: Project) -> dict[str, list[str]]:
    """Return the columns of every table on disk, by the key of its asset."""
    week = project.span[0].key
    found = {}
    for path in project.root.rglob(f"{week}.*"):
        key = path.parent.relative_to(project.root).as_posix()
        if path.suffix == ".parquet":
            found[key] = list(pd.read_parquet(path).columns)
        elif path.suffix == ".h5":
            with h5py.File(path) as file:
                found[key] = list(file["interactions"])
    return found


def test_every_column_comes_from_others_or_is_said_to_be_computed(
    first_week: Project, lineage: dict[str, Columns]
) -> None:
    on_disk = tables(first_week)
    assert {"raw/interactions", "prepared/train", "evaluation/leaderboard"} <= on_disk.keys()
    assert "recommendations/new_items" in on_disk
    for key, columns in on_disk.items():
        if key.startswith("raw/"):
            assert not lineage[key], "what is raw comes from no table"
            continue
        explained = {column for column, origins in lineage[key].items() if origins}
        assert explained | COMPUTED.get(key, frozenset()) == set(columns), key
        assert not explained & COMPUTED.get(key, frozenset()), key


def test_columns_come_from_columns_of_tables_that_the_asset_depends_on(
    first_week: Project, lineage: dict[str, Columns]
) -> None:
    on_disk, graph = tables(first_week), make_definitions(first_week).resolve_asset_graph()
    for key, columns in lineage.items():
        node = graph.get(dg.AssetKey(key.split("/")))
        parents = {parent.to_user_string() for parent in node.parent_keys}
        for column, origins in columns.items():
            for upstream, name in origins:
                assert upstream in parents, f"{key}.{column}"
                assert name in on_disk[upstream], f"{key}.{column}"


def test_a_recommended_item_leads_back_to_the_rows_that_caused_it(
    lineage: dict[str, Columns],
) -> None:
    reached, ahead = set(), [("recommendations/users", "item_id")]
    while ahead:
        key, column = ahead.pop()
        reached.add(f"{key}.{column}")
        ahead += lineage[key].get(column, [])
    assert reached == {
        f"{key}.item_id"
        for key in (
            "recommendations/users",
            "prepared/hdf5",
            "prepared/implicit",
            "prepared/clean",
            "raw/interactions",
        )
    }
