"""evaluation: each model on the same test users, all side by side, and the gate."""

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import dagster as dg
import pandas as pd

from collie_pipeline.assets.checks import found, promised
from collie_pipeline.assets.common import asset, of
from collie_pipeline.boards import history, readable, trend
from collie_pipeline.charts import bars
from collie_pipeline.checking import Finding, metrics
from collie_pipeline.model_settings import is_explicit
from collie_pipeline.model_table import final_stages, rows
from collie_pipeline.project import Project
from collie_pipeline.records import last_made, metadata_of
from collie_pipeline.storage.markdown import markdown

JUDGING = (
    "collie_core/metrics",
    *(f"collie_pipeline/{name}.py" for name in ("evaluating", "ingredients", "segments", "served")),
)
COMPARING = ("collie_core/metrics", "collie_pipeline/boards.py", "collie_pipeline/evaluating.py")
IN_RANGE, NOT_WORSE = "metrics_in_range", "not_worse"
KNOWN = {"train": of("prepared/train"), "validation": of("prepared/validation")}


def assets(project: Project) -> Sequence[dg.AssetsDefinition]:
    """Return the assets of this stage."""
    stages = final_stages(project)
    return [
        *(evaluation(name, stage, project) for name, stage in stages.items()),
        leaderboard(stages, project),
        champion(list(stages), project),
    ]


def evaluation(name: str, stage: str, project: Project) -> dg.AssetsDefinition:
    """Return `evaluation/<name>`: the metrics of every test user."""
    settings = project.settings
    rated = {"ratings": of("prepared/ratings_test")} if is_explicit(settings, name) else {}

    @asset(
        project,
        f"evaluation/{name}",
        f"Metrics of {name} by test user; seen items masked, cold users by what they are served.",
        {"parquet"},
        *JUDGING,
        ins={"bundle": of(f"models/{stage}"), "test": of("prepared/test"), **KNOWN, **rated},
        io_manager_key="parquet",
    )
    def per_user(
        context: dg.AssetExecutionContext,
        bundle: Path,
        test: Path,
        train: Path,
        validation: Path,
        **rated: Path,
    ) -> pd.DataFrame:
        from collie_core.bundle import load_model
        from collie_core.metrics import METRICS
        from collie_pipeline.evaluating import per_user_metrics, rating_errors
        from collie_pipeline.segments import segment_means

        model: Any = load_model(bundle)
        table = per_user_metrics(model, test, (train, validation), settings.evaluation)
        errors = rating_errors(model, rated["ratings"]) if rated else {}
        table.attrs.update(errors)  # which a Parquet file keeps
        means = {metric: float(table[metric].mean()) for metric in METRICS}
        cold = int(table["is_cold"].sum())
        context.add_output_metadata(
            {
                **means,
                **segment_means(table),
                **errors,
                "users": len(table),
                "cold_users": cold,
            }
        )
        return table

    return per_user


def leaderboard(stages: Mapping[str, str], project: Project) -> dg.AssetsDefinition:
    """Return `evaluation/leaderboard`; `stages` has the last stage of each model."""
    key, settings = "evaluation/leaderboard", project.settings.evaluation

    @asset(
        project,
        key,
        "All models on the same users, best first, with bootstrap intervals and segments.",
        {"parquet"},
        *COMPARING,
        ins={name: of(f"evaluation/{name}") for name in stages},
        io_manager_key="parquet",
        check_specs=promised(key, IN_RANGE),
    )
    def board(context: dg.AssetExecutionContext, **per_user: pd.DataFrame) -> Iterator[Any]:
        from collie_pipeline.evaluating import leaderboard

        week = context.partition_key
        table = leaderboard(per_user, settings)
        table["bytes"] = [_size(project, stages[name], week) for name in table["model"]]
        by_week = history(Path(project.root, *key.split("/")), week, table)
        pairs = list(zip(table["model"], table["mapk"].astype(float), strict=True))
        shown = readable(table, settings.k, _seconds(context, project))
        lines = trend(by_week)
        yield dg.Output(
            table,
            metadata={
                "leaderboard": markdown(shown, rows=len(shown)),
                "trend": markdown(lines, len(lines), ready=list(lines.columns[1:2])),
                "mapk": dg.MetadataValue.md(bars(pairs)),
                **{f"mapk/{name}": value for name, value in pairs},
            },
        )
        yield found(key, IN_RANGE, metrics(table))

    return board


def _size(project: Project, stage: str, week: str) -> float:
    """Return the bytes of the bundle of a model's last stage, NaN if it is gone."""
    path = Path(project.root, "models", *stage.split("/"), f"{week}.bundle")
    return path.stat().st_size if path.exists() else math.nan


def _seconds(context: dg.AssetExecutionContext, project: Project) -> dict[str, float]:
    """Return the seconds that making each model took, all its stages: of trainings, the epochs.

    They are shown and not in the table: the same inputs are to give the same bytes.
    """
    took: dict[str, float] = {}
    for row in rows(project):
        key = dg.AssetKey(["models", *row.name.split("/")])
        known = metadata_of(last_made(context.instance, key, context.partition_key))
        if "seconds" in known:
            took[row.model] = took.get(row.model, 0.0) + float(str(known["seconds"]))
    return took


def champion(names: Sequence[str], project: Project) -> dg.AssetsDefinition:
    """Return `evaluation/champion`."""
    settings = project.settings
    key = "evaluation/champion"

    @asset(
        project,
        key,
        "The best model of the week, and whether it may take the place of the one that serves.",
        {"parquet"},
        *JUDGING,
        "collie_pipeline/gate.py",
        ins={
            "board": of("evaluation/leaderboard"),
            "test": of("prepared/test"),
            **KNOWN,
            **{name: of(f"evaluation/{name}") for name in names},
        },
        io_manager_key="parquet",
        check_specs=promised(key, NOT_WORSE),
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
        yield found(key, NOT_WORSE, Finding(passed, reason, {"gap": gap}))

    return decision
