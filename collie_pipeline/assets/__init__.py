"""The assets, one file a stage, made for one project."""

from collections.abc import Sequence

import dagster as dg

from collie_pipeline.assets import (
    evaluation,
    exports,
    features,
    models,
    prepared,
    ratings,
    raw,
    recommendations,
    reporting,
    tuning,
)
from collie_pipeline.project import Project


def all_assets(project: Project) -> Sequence[dg.AssetsDefinition]:
    """Return every asset of `project`, as the data flows."""
    makers = (
        raw,
        prepared,
        ratings,
        features,
        models,
        evaluation,
        recommendations,
        reporting,
        exports,
        tuning,
    )
    return [asset for each in makers for asset in each.assets(project)]
