"""All that the definitions hold, as `assets.json` has it: `python snapshot.py` writes it."""

import json
import sys
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import dagster as dg

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))  # as pytest has it

from small_files import project_of, rows  # noqa: E402

from collie_pipeline.assets.models import GPU  # noqa: E402
from collie_pipeline.definitions import make_definitions  # noqa: E402
from collie_pipeline.model_table import TABLE  # noqa: E402

PATH = HERE / "assets.json"
WIDTH = 96
EVERYTHING: dict[str, Any] = {
    "end": date(2026, 2, 1),  # or a clock would decide which weeks there are
    "window_weeks": 4,
    "models": {
        "names": list(dict.fromkeys(row.model for row in TABLE)),
        "mlp_matrix_factorization": {"loss": "mse"},
    },
    "tuning": {"models": ["hybrid", "item_knn"]},
    "exports": {"duckdb": "shop.duckdb", "vectors": True},
    "automation": {"schedule": True, "watch_files": True, "webhook": "https://example.com"},
}


def definitions_of_all(folder: Path) -> dg.Definitions:
    """Return the definitions of a project that asks for all there is, over files in `folder`."""
    (folder / "files").mkdir()
    return make_definitions(project_of(folder / "files", rows(), **EVERYTHING))


def snapshot(definitions: dg.Definitions) -> dict[str, Any]:
    """Return what the definitions hold, by kind and name."""
    repository = definitions.get_repository_def()
    specs = sorted(definitions.resolve_all_asset_specs(), key=lambda spec: spec.key)
    keys = {spec.key.to_user_string() for spec in specs}
    return {
        "assets": {spec.key.to_user_string(): asset(definitions, spec) for spec in specs},
        "op_tags": {"gpu": GPU},
        "jobs": {
            job.name: chosen(job, keys)
            for job in sorted(repository.get_all_jobs(), key=lambda job: job.name)
            if not job.name.startswith("__")
        },
        "schedules": {each.name: schedule(each) for each in repository.schedule_defs},
        "sensors": {each.name: sensor(each) for each in repository.sensor_defs},
    }


def asset(definitions: dg.Definitions, spec: dg.AssetSpec) -> dict[str, Any]:
    """Return what the snapshot holds of an asset."""
    made = definitions.resolve_assets_def(spec.key)
    assert isinstance(spec.partitions_def, dg.WeeklyPartitionsDefinition)
    weeks = spec.partitions_def.get_partition_keys()
    checks = {each.name: each.blocking for each in made.check_specs if each.asset_key == spec.key}
    retries = made.op.retry_policy
    return {
        "group": spec.group_name,
        "kinds": sorted(spec.kinds),
        "step": made.op.name,
        "pool": made.op.pool,
        "op_tags": tags(made),
        "retries": 0 if retries is None else retries.max_retries,
        "partitions": f"{len(weeks)} weeks, {weeks[0]} to {weeks[-1]}",
        "depends_on": needed(spec.deps),
        "checks": {name: "blocks" if each else "warns" for name, each in sorted(checks.items())},
    }


def tags(made: dg.AssetsDefinition) -> str | dict[str, Any] | None:
    """Return the tags of an asset's step; those of a GPU by name."""
    own = {name: tag for name, tag in made.op.tags.items() if not name.startswith("dagster/")}
    own = {name: json.loads(tag) if isinstance(tag, str) else tag for name, tag in own.items()}
    return "gpu" if own == GPU else own or None


def needed(deps: Iterable[dg.AssetDep]) -> dict[str, list[str]]:
    """Return the assets that a week needs, by which weeks of them."""
    found: dict[str, list[str]] = {}
    for dep in sorted(deps, key=lambda dep: dep.asset_key):
        mapping, weeks = dep.partition_mapping, "the same week"
        if mapping is not None:
            assert isinstance(mapping, dg.TimeWindowPartitionMapping)
            weeks = f"weeks {mapping.start_offset} to {mapping.end_offset}"
        found.setdefault(weeks, []).append(dep.asset_key.to_user_string())
    return found


def chosen(job: dg.JobDefinition, keys: set[str]) -> dict[str, Any]:
    """Return what a job makes, or what it leaves out if that is less."""
    made = {key.to_user_string() for key in job.asset_layer.selected_asset_keys}
    left = keys - made
    which = {"all_but": sorted(left)} if len(left) < len(made) else {"makes": sorted(made)}
    return {**which, "executor": job.executor_def.name}


def schedule(each: dg.ScheduleDefinition) -> dict[str, Any]:
    return {
        "cron": each.cron_schedule,
        "timezone": each.execution_timezone,
        "job": each.job_name,
        "status": each.default_status.value,
    }


def sensor(each: dg.SensorDefinition) -> dict[str, Any]:
    return {
        "every_seconds": each.minimum_interval_seconds,
        "jobs": [target.job_name for target in each.targets],
        "status": each.default_status.value,
    }


def as_text(value: Any, indent: int = 0) -> str:
    """Return `value` as JSON, each list and object on one line if it fits there."""
    line = json.dumps(value)
    if len(line) + indent <= WIDTH or not isinstance(value, dict | list):
        return line
    if isinstance(value, dict):
        ends, parts = "{}", [f"{json.dumps(k)}: {as_text(v, indent + 1)}" for k, v in value.items()]
    else:
        ends, parts = "[]", [as_text(each, indent + 1) for each in value]
    lines = ",\n".join(" " * (indent + 1) + part for part in parts)
    return f"{ends[0]}\n{lines}\n{' ' * indent}{ends[1]}"


if __name__ == "__main__":
    with TemporaryDirectory() as scratch:
        PATH.write_text(as_text(snapshot(definitions_of_all(Path(scratch)))) + "\n")
