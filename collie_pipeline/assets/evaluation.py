"""evaluation: each model on the same test users, all side by side, and the gate."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import dagster as dg
import pandas as pd

from collie_pipeline.assets.common import asset, of
from collie_pipeline.assets.models import final_stages
from collie_pipeline.charts import bars
from collie_pipeline.project import Project

CODE = ("collie_core/metrics", "collie_pipeline/evaluating.py", "collie_pipeline/gate.py")
NOT_WORSE = "not_worse"
KNOWN = {"train": of("prepared/train"), "validation": of("prepared/validation")}


def assets(project: Project) -> Sequence[dg.AssetsDefinition]:
    """Return the assets of this stage."""
    stages = final_stages(project)
    return [
        *(evaluation(name, stage, project) for name, stage in stages.items()),
        leaderboard(list(stages), project),
        champion(list(stages), project),
    ]


def evaluation(name: str, stage: str, project: Project) -> dg.AssetsDefinition:
    """Return `evaluation/<name>`: the metrics of every test user."""
    settings = project.settings

    @asset(
        project,
        f"evaluation/{name}",
        f"Metrics of {name} by test user; seen items masked, cold users kept.",
        {"parquet"},
        *CODE,
        ins={"bundle": of(f"models/{stage}"), "test": of("prepared/test"), **KNOWN},
        io_manager_key="parquet",
    )
    def per_user(
        context: dg.AssetExecutionContext, bundle: Path, test: Path, train: Path, validation: Path
    ) -> pd.DataFrame:
        from collie_core.bundle import load_model
        from collie_core.metrics import METRICS
        from collie_pipeline.evaluating import per_user_metrics

        table = per_user_metrics(load_model(bundle), test, (train, validation), settings.evaluation)
        means = {metric: float(table[metric].mean()) for metric in METRICS}
        cold = int(table["is_cold"].sum())
        context.add_output_metadata({**means, "users": len(table), "cold_users": cold})
        return table

    return per_user


def leaderboard(names: Sequence[str], project: Project) -> dg.AssetsDefinition:
    """Return `evaluation/leaderboard`."""

    @asset(
        project,
        "evaluation/leaderboard",
        "All models on the same users, best first, with bootstrap intervals.",
        {"parquet"},
        *CODE,
        ins={name: of(f"evaluation/{name}") for name in names},
        io_manager_key="parquet",
    )
    def board(context: dg.AssetExecutionContext, **per_user: pd.DataFrame) -> pd.DataFrame:
        from collie_pipeline.evaluating import leaderboard

        table = leaderboard(per_user, project.settings.evaluation)
        pairs = list(zip(table["model"], table["mapk"].astype(float), strict=True))
        context.add_output_metadata(
            {"mapk": dg.MetadataValue.md(bars(pairs)), **{f"mapk/{n}": v for n, v in pairs}}
        )
        return table

    return board


def champion(names: Sequence[str], project: Project) -> dg.AssetsDefinition:
    """Return `evaluation/champion`."""
    settings = project.settings
    key = "evaluation/champion"

    @asset(
        project,
        key,
        "The best model of the week, and whether it may take the place of the one that serves.",
        {"parquet"},
        *CODE,
        ins={
            "board": of("evaluation/leaderboard"),
            "test": of("prepared/test"),
            **KNOWN,
            **{name: of(f"evaluation/{name}") for name in names},
        },
        io_manager_key="parquet",
        check_specs=[dg.AssetCheckSpec(NOT_WORSE, asset=key.split("/"), blocking=True)],
    )
    def decision(
        context: dg.AssetExecutionContext,
        board: pd.DataFrame,
        test: Path,
        train: Path,
        validation: Path,
        **per_user: pd.DataFrame,
    ) -> Iterator[Any]:
        from collie_pipeline.evaluating import serving_metrics
        from collie_pipeline.gate import decide
        from collie_pipeline.storage import serving_before

        serving = serving_before(project.root, context.partition_key)
        theirs = serving_metrics(serving, test, (train, validation), settings.evaluation)
        serving_id = None if serving is None else serving.id
        row = decide(board, per_user, theirs, serving_id, settings.evaluation)
        passed, reason = bool(row["passed"].iloc[0]), str(row["reason"].iloc[0])
        gap = float(row["gap"].iloc[0])
        yield dg.Output(
            row, metadata={"model": str(row["model"].iloc[0]), "reason": reason, "gap": gap}
        )
        yield dg.AssetCheckResult(
            check_name=NOT_WORSE, passed=passed, description=reason, metadata={"gap": gap}
        )

    return decision
