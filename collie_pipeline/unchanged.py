"""What need not be made again: assets whose code, settings and inputs are as they were.

Each asset says in its metadata what it was made of. Before a week is run, that is held against
what it would be made of now; what agrees, and is on disk as it was written, stays.
"""

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path

import dagster as dg

from collie_core.files import sha256
from collie_pipeline.project import Project
from collie_pipeline.records import last_made, metadata_of
from collie_pipeline.reports import drawn_from
from collie_pipeline.storage import is_sound, serving_before
from collie_pipeline.weeks import Week

MADE_OF = "made_of"
TUNING = "tuning"  # the group that no week needs to be published
SUFFIXES = (".parquet", ".h5", ".bundle", ".html")
PUBLICATION = dg.AssetKey(["recommendations", "publication"])
Outside = Callable[[Project, Week, str], str]


def _serving(project: Project, week: Week, _: str) -> str:
    serving = serving_before(project.root, week.key)
    return "none" if serving is None else serving.sha256


def _read(project: Project, week: Week, _: str) -> str:
    return project.source.fingerprint(week)


def _warm(project: Project, week: Week, key: str) -> str:
    """Return hashes of what a model begins from; the champion may be any of them."""
    own, bundles = key.removeprefix("models/"), project.warm_bundles(week)
    return str({name: sha256(path) for name, path in bundles.items() if own in (name, "champion")})


def _drawn(project: Project, week: Week, _: str) -> str:
    return str([f"{p.stem} {sha256(p)}" for p in drawn_from(project.root, week.key)])


# What assets are made of beside other assets, by the beginning of their keys.
OUTSIDE: Mapping[str, Outside] = {
    "raw/": _read,
    "models/": _warm,
    "evaluation/champion": _serving,
    "recommendations/churn": _serving,
    "recommendations/report": _drawn,
}


def stored(root: Path, key: dg.AssetKey, week: str) -> Path | None:
    """Return the file of the asset `key` of `week`, or None if it is not there."""
    paths = (Path(root, *key.path, f"{week}{suffix}") for suffix in SUFFIXES)
    return next((path for path in paths if path.exists()), None)


def made_of(project: Project, made: dg.AssetsDefinition, key: dg.AssetKey, week: Week) -> str:
    """Return a hash of the code, settings and files that the asset `key` of `week` is made of."""
    spec = made.get_asset_spec(key)
    parts = [str(spec.code_version)]
    for dep in sorted(spec.deps, key=lambda each: each.asset_key):
        weeks = [week] if dep.partition_mapping is None else project.window(week)
        for each in weeks:
            path = stored(project.root, dep.asset_key, each.key)
            parts.append(f"{dep.asset_key} {each.key} {path and sha256(path)}")
    name = key.to_user_string()
    parts += [of(project, week, name) for begin, of in OUTSIDE.items() if name.startswith(begin)]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def outdated(
    project: Project, definitions: dg.Definitions, instance: dg.DagsterInstance, week: Week
) -> list[dg.AssetKey]:
    """Return the assets of `week` that have to be made for it to be published, as the data flows.

    These are the assets that are not what they would be now, all that comes after one of them, and
    the publication, which looks itself whether it is there.
    """
    keys, old = weekly_keys(definitions), set[dg.AssetKey]()
    for key in keys:
        made = definitions.resolve_assets_def(key)
        after = any(dep.asset_key in old for spec in made.specs for dep in spec.deps)
        if key == PUBLICATION or after or not _stands(project, made, key, instance, week):
            old |= set(made.keys)  # the assets of one step are made together
    return [key for key in keys if key in old]


def weekly_keys(definitions: dg.Definitions) -> list[dg.AssetKey]:
    """Return the assets that a week is published with, as the data flows."""
    keys = definitions.resolve_asset_graph().toposorted_asset_keys
    return [key for key in keys if key.path[0] != TUNING]


def _stands(
    project: Project,
    made: dg.AssetsDefinition,
    key: dg.AssetKey,
    instance: dg.DagsterInstance,
    week: Week,
) -> bool:
    """Return whether the asset is there, as it was made, by a step that ended well."""
    path, last = stored(project.root, key, week.key), last_made(instance, key, week.key)
    if path is None or last is None:
        return False
    known = metadata_of(last)
    if not is_sound(path) or known.get("sha256") != sha256(path):
        return False
    if known.get(MADE_OF) != made_of(project, made, key, week):
        return False
    ended = instance.all_logs(last.run_id, of_type=dg.DagsterEventType.STEP_SUCCESS)
    return any(entry.step_key == made.op.name for entry in ended)
