import json
import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest
import yaml
from small_project import small_settings
from snapshot import PATH, as_text, definitions_of_all, snapshot

from collie_pipeline.definitions import make_definitions
from collie_pipeline.model_table import TABLE
from collie_pipeline.project import Project

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture
def definitions(project: Project) -> dg.Definitions:
    return make_definitions(project)


def test_everything_loads(definitions: dg.Definitions) -> None:
    dg.Definitions.validate_loadable(definitions)


def test_all_there_is_is_that_of_the_snapshot(tmp_path: Path) -> None:
    found = snapshot(definitions_of_all(tmp_path))
    assert found == json.loads(PATH.read_text())
    assert PATH.read_text() == as_text(found) + "\n", "write it with snapshot.py"


def test_the_snapshot_has_every_model_and_stage_of_the_table() -> None:
    assets = json.loads(PATH.read_text())["assets"]
    assert {f"models/{row.name}" for row in TABLE} <= assets.keys()
    assert {f"evaluation/{row.model}" for row in TABLE} <= assets.keys()


def test_every_asset_says_what_it_is(definitions: dg.Definitions) -> None:
    for spec in definitions.resolve_all_asset_specs():
        name = spec.key.to_user_string()
        assert spec.description, name
        assert spec.kinds, name
        assert list(spec.owners) == ["team:recommendations"], name
        assert spec.code_version, name
        assert spec.group_name == spec.key.path[0], name
        assert definitions.resolve_assets_def(spec.key).partitions_def is not None, name


def test_importing_the_definitions_leaves_torch_out() -> None:
    code = (
        "import sys; from collie_pipeline.definitions import defs; "
        "defs().resolve_asset_graph(); sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_model_that_is_left_out_leaves_no_trace(tmp_path: Path) -> None:
    project = Project(small_settings(tmp_path, models={"names": ["popularity", "item_knn"]}))
    definitions = make_definitions(project)
    dg.Definitions.validate_loadable(definitions)
    keys = {spec.key.to_user_string() for spec in definitions.resolve_all_asset_specs()}
    assert not [key for key in keys if "cold_start" in key or "matrix" in key]
    assert "recommendations/new_items" not in keys


@pytest.mark.parametrize("bucket", ["genres", "decade"])
def test_new_items_are_said_to_be_of_the_buckets_that_they_are_of(
    tmp_path: Path, bucket: str
) -> None:
    definitions = make_definitions(Project(small_settings(tmp_path, features={"bucket": bucket})))
    key = dg.AssetKey(["recommendations", "new_items"])
    said = definitions.resolve_asset_graph().get(key).description
    assert f"of each bucket, by {bucket}" in str(said)


def test_the_postgres_home_differs_in_its_storage_only() -> None:
    home = REPOSITORY / "dagster_home"
    ours, theirs = (
        yaml.safe_load((home / part / "dagster.yaml").read_text()) for part in (".", "postgres")
    )
    assert theirs.pop("storage") == {"postgres": {"postgres_url": {"env": "COLLIE_DAGSTER_PG_URL"}}}
    assert ours == theirs


def test_every_check_says_what_it_holds(definitions: dg.Definitions) -> None:
    specs = [spec for made in definitions.assets or () for spec in made.check_specs]  # type: ignore[union-attr]
    assert len(specs) > 15
    assert all(spec.description for spec in specs)
