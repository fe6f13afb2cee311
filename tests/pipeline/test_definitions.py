import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import yaml
from small_project import small_settings

from collie_pipeline.definitions import make_definitions
from collie_pipeline.project import Project

SNAPSHOT = Path(__file__).with_name("assets.json")
REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture
def definitions(project: Project) -> dg.Definitions:
    return make_definitions(project)


def test_everything_loads(definitions: dg.Definitions) -> None:
    dg.Definitions.validate_loadable(definitions)


def described(definitions: dg.Definitions, spec: dg.AssetSpec) -> dict[str, Any]:
    """Return what the snapshot holds of an asset."""
    made = definitions.resolve_assets_def(spec.key)
    assert isinstance(spec.partitions_def, dg.WeeklyPartitionsDefinition)
    weeks = spec.partitions_def.get_partition_keys()
    checks = {each.name: each.blocking for each in made.check_specs if each.asset_key == spec.key}
    return {
        "group": spec.group_name,
        "kinds": sorted(spec.kinds),
        "pool": made.op.pool,
        "depends_on": {dep.asset_key.to_user_string(): offsets(dep) for dep in spec.deps},
        "partitions": f"{len(weeks)} weeks, {weeks[0]} to {weeks[-1]}",
        "checks": {name: "blocks" if blocking else "warns" for name, blocking in checks.items()},
    }


def offsets(dep: dg.AssetDep) -> str:
    """Return which weeks of another asset a week needs."""
    mapping = dep.partition_mapping
    if mapping is None:
        return "the same week"
    assert isinstance(mapping, dg.TimeWindowPartitionMapping)
    return f"weeks {mapping.start_offset} to {mapping.end_offset}"


def test_the_graph_is_that_of_the_snapshot(definitions: dg.Definitions) -> None:
    specs = definitions.resolve_all_asset_specs()
    found = {spec.key.to_user_string(): described(definitions, spec) for spec in specs}
    assert found == json.loads(SNAPSHOT.read_text())


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
