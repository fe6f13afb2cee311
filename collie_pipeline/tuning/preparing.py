"""What a search from the command line needs: the week's data, made where they are missing."""

from pathlib import Path

import dagster as dg
from rich.console import Console

from collie_pipeline.ingredients import Ingredients
from collie_pipeline.model_table import tried_on
from collie_pipeline.project import Project
from collie_pipeline.resources import Device
from collie_pipeline.running import make_assets
from collie_pipeline.showing import read_week
from collie_pipeline.storage import verify
from collie_pipeline.unchanged import stored
from collie_pipeline.weeks import Week


def prepared(project: Project, model: str, week: Week, console: Console) -> Ingredients:
    """Return what candidates of `model` are made of; what `week` lacks of that is made first.

    Raises
    ------
    RunError
        If it cannot be made.
    ValueError
        If a file is not as it was written.
    """
    keys = tried_on(model, project)
    make_assets(project, week, list(keys.values()), console)
    features = keys.pop("features", None)
    paths = {name: _path(project, key, week) for name, key in keys.items()}
    return Ingredients(
        project.settings,
        paths["train"],
        paths["validation"],
        None if features is None else read_week(project.root, features, week.key),
        Device(kind=project.settings.device).resolve(),
        paths.get("previous"),
    )


def _path(project: Project, key: str, week: Week) -> Path:
    path = stored(project.root, dg.AssetKey(key.split("/")), week.key)
    if path is None:
        raise ValueError(f"{key} of {week.key} is not there: make it with `collie run`")
    verify(path)
    return path
