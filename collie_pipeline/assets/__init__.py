"""The assets, one file a stage, made for one project."""

from collections.abc import Sequence

import dagster as dg

from collie_pipeline.assets import (
    evaluation,
    exports,
    features,
    models,
    prepared,
    raw,
    recommendations,
    reporting,
)
from collie_pipeline.project import Project


def all_assets(project: Project) -> Sequence[dg.AssetsDefinition]:
    """Return every asset of `project`, as the data flows."""
    stages = (raw, prepared, features, models, evaluation, recommendations, reporting, exports)
    return [asset for stage in stages for asset in stage.assets(project)]
