"""What all assets have in common."""

from collections.abc import Callable, Iterator, Sequence
from functools import wraps
from inspect import isgeneratorfunction
from typing import Any

import dagster as dg

from collie_pipeline.partitions import window
from collie_pipeline.project import Project
from collie_pipeline.storage.io_managers import REPEATED
from collie_pipeline.threads import on_threads
from collie_pipeline.unchanged import MADE_OF, made_of
from collie_pipeline.versions import made_by
from collie_pipeline.weeks import Week

OWNER = "team:recommendations"
IDS = ("user_id", "item_id")
COMPUTED = {
    "models",
    "evaluation",
    "recommendations",
    "tuning",
}  # groups whose numbers threads could change


def described(
    project: Project, key: str, description: str, kinds: set[str], *code: str
) -> dict[str, Any]:
    """Return the arguments that all assets share; the first part of `key` is the group."""
    return {
        "key": dg.AssetKey(key.split("/")),
        "description": description,
        "kinds": kinds,
        "code_version": made_by(project.settings, key, *code),
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

    def decorated(function: Callable[..., Any]) -> dg.AssetsDefinition:
        if shared["group_name"] in COMPUTED:
            function = on_threads(project.settings.threads, function)
        return decorator(recorded(project, function))

    return decorated


def recorded(project: Project, function: Callable[..., Any]) -> Callable[..., Any]:
    """Return `function`, the body of assets, such that they say what each was made of."""

    @wraps(function)
    def returning(*arguments: Any, **inputs: Any) -> Any:
        _record(project)
        return function(*arguments, **inputs)

    @wraps(function)
    def yielding(*arguments: Any, **inputs: Any) -> Iterator[Any]:
        _record(project)
        yield from function(*arguments, **inputs)

    # Dagster asks the function itself whether it has one output or yields them.
    return yielding if isgeneratorfunction(function) else returning


def _record(project: Project) -> None:
    context = dg.AssetExecutionContext.get()
    week = Week.parse(context.partition_key)
    for key in context.selected_asset_keys:
        made = made_of(project, context.assets_def, key, week)
        context.add_output_metadata({MADE_OF: made}, context.output_for_asset_key(key))


def of(key: str, repeated: Sequence[str] = ()) -> dg.AssetIn:
    """Return the input that is the asset `key` of the same week; see `REPEATED`."""
    return dg.AssetIn(key=dg.AssetKey(key.split("/")), metadata={REPEATED: list(repeated)})


def of_window(key: str, project: Project, repeated: Sequence[str] = ()) -> dg.AssetIn:
    """Return the input that is the asset `key` of every week of the window; see `REPEATED`."""
    mapping = window(project.settings.window_weeks)
    return of(key, repeated)._replace(partition_mapping=mapping)
