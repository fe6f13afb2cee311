"""tuning: the settings of each model that asks for it, searched on validation."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import dagster as dg
import pandas as pd

from collie_pipeline.assets.common import asset, of
from collie_pipeline.assets.models import GPU, MAKING
from collie_pipeline.charts import plot
from collie_pipeline.model_table import stages, tried_on
from collie_pipeline.parents import end_with_parent
from collie_pipeline.project import Project
from collie_pipeline.resources import Device
from collie_pipeline.storage.markdown import markdown

SEARCHING = ("collie_core/metrics", "collie_pipeline/evaluating.py", "collie_pipeline/tuning")
SHOWN = 10  # candidates, the best ones


def assets(project: Project) -> Sequence[dg.AssetsDefinition]:
    """Return the assets of this stage: one a model that the settings name, none by default."""
    return [tuning(name, project) for name in project.settings.tuning.models]


def tuning(name: str, project: Project) -> dg.AssetsDefinition:
    """Return `tuning/<model>`: every candidate of a search, which changes no setting by itself."""
    budget, own = project.settings.tuning, stages(name)
    trains = own[0].trains

    @asset(
        project,
        f"tuning/{name}",
        f"Settings of {name} that were tried, each with what validation says of it; trial 0 has "
        "the present ones.",
        {"optuna", "parquet"},
        *own[0].code,
        *MAKING,
        *SEARCHING,
        ins={argument: of(key) for argument, key in tried_on(name, project).items()},
        io_manager_key="parquet",
        pool="gpu" if trains else None,
        op_tags=GPU if trains else None,
        retry_policy=dg.RetryPolicy(max_retries=1, delay=1),  # which goes on after the last trial
    )
    def trials(
        context: dg.AssetExecutionContext, device: Device, train: Path, **inputs: Any
    ) -> pd.DataFrame:
        from collie_pipeline.tuning import refuse_without_optuna

        refuse_without_optuna()
        from collie_pipeline.ingredients import Ingredients
        from collie_pipeline.tuning.outcome import said, table
        from collie_pipeline.tuning.tune import Budget, Logged, tune

        end_with_parent()
        given = Ingredients(project.settings, train, device=device.resolve(), **inputs)
        found = tune(
            name,
            given,
            context.partition_key,
            Budget(budget.trials, budget.seconds),
            Logged(context.log),
        )
        made = table(found)
        context.add_output_metadata({**_metadata(found, made), "found": said(found)})
        return made

    return trials


def _metadata(found: Any, made: pd.DataFrame) -> Mapping[str, Any]:
    """Return what there is to see of a search: the best, what it gains, and how it went."""
    judged = made[made["state"] == "complete"]
    best = judged.sort_values("value", ascending=found.metric == "mse", kind="stable")
    shown = best.drop(columns=["state", "reason"])
    values = made["value"].where(made["state"] == "complete")
    drawn = plot([float(value) for value in values], unit="trials")
    return {
        found.metric: float(found.best.value),
        "best_trial": found.best.number,
        "gain": found.gain.mean,
        "gain_low": found.gain.low,
        "gain_high": found.gain.high,
        "collie.toml": dg.MetadataValue.md(f"```toml\n{found.toml}\n```"),
        "trials": dg.MetadataValue.md(f"{found.label} on validation by trial\n{drawn}"),
        "best": markdown(shown, rows=SHOWN),
        "states": ", ".join(f"{count} {state}" for state, count in _counts(made).items()),
    }


def _counts(made: pd.DataFrame) -> Mapping[str, int]:
    return {str(state): int(count) for state, count in made["state"].value_counts().items()}
