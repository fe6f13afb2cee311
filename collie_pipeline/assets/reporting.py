"""recommendations/report: the week on one page."""

from collections.abc import Sequence

import dagster as dg

from collie_pipeline.assets.common import asset
from collie_pipeline.project import Project
from collie_pipeline.reports import BOARD, CHURN, DECISION, report

KEY = "recommendations/report"


def assets(project: Project) -> Sequence[dg.AssetsDefinition]:
    """Return the asset of this module."""

    @asset(
        project,
        KEY,
        "The week on one page: the leaderboard, the models and the gate by week, and the churn.",
        {"html"},
        "collie_pipeline.reports",
        deps=[each.split("/") for each in (BOARD, DECISION, CHURN)],
        io_manager_key="page",
    )
    def page(context: dg.AssetExecutionContext) -> str:
        settings, week = project.settings, context.partition_key
        return report(project.root, week, project.source.name, settings.evaluation.k)

    return [page]
