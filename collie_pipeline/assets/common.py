"""What all assets have in common."""

from collections.abc import Callable
from typing import Any

import dagster as dg

from collie_pipeline.partitions import window
from collie_pipeline.project import Project, code_version

OWNER = "team:recommendations"


def described(
    project: Project, key: str, description: str, kinds: set[str], *code: str
) -> dict[str, Any]:
    """Return the arguments that all assets share; the first part of `key` is the group."""
    return {
        "key": dg.AssetKey(key.split("/")),
        "description": description,
        "kinds": kinds,
        "code_version": code_version(*code),
        "group_name": key.split("/")[0],
        "owners": [OWNER],
        "partitions_def": project.partitions,
    }


def asset(
    project: Project,
    key: str,
    description: str,
    kinds: set[str],
    *code: str,
    **options: Any,
) -> Callable[[Callable[..., Any]], dg.AssetsDefinition]:
    """Return `dg.asset` with what all assets share; `options` are its other arguments."""
    shared = described(project, key, description, kinds, *code)
    decorator: Callable[[Callable[..., Any]], dg.AssetsDefinition] = dg.asset(**shared, **options)
    return decorator


def of(key: str) -> dg.AssetIn:
    """Return the input that is the asset `key` of the same week."""
    return dg.AssetIn(key=dg.AssetKey(key.split("/")))


def of_window(key: str, project: Project) -> dg.AssetIn:
    """Return the input that is the asset `key` of every week of the window."""
    mapping = window(project.settings.window_weeks)
    return dg.AssetIn(key=dg.AssetKey(key.split("/")), partition_mapping=mapping)
