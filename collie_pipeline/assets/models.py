"""models: every model, and every stage of a model, an asset of its own."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg
import pandas as pd

from collie_pipeline.assets.common import asset, of
from collie_pipeline.charts import sparkline
from collie_pipeline.project import Project
from collie_pipeline.resources import Device

CODE = ("collie_core", "collie_pipeline/modelling.py")
GPU = {
    "dagster-k8s/config": {"container_config": {"resources": {"limits": {"nvidia.com/gpu": 1}}}},
    "dagster-docker/config": {
        "container_kwargs": {
            "device_requests": [{"Driver": "nvidia", "Count": 1, "Capabilities": [["gpu"]]}]
        }
    },
}


@dataclass(frozen=True)
class Row:
    """One asset: a model that is made at once, or one stage of a model.

    Parameters
    ----------
    name : its key below `models/`.
    description : what the UI says of it.
    trains : whether it has epochs, and so wants a GPU and validation.
    reads_items : whether it is made of what is known of the items.
    after : the stage whose bundle it starts from.
    """

    name: str
    description: str
    trains: bool = False
    reads_items: bool = False
    after: str | None = None

    @property
    def model(self) -> str:
        """The model it belongs to, as settings and leaderboard call it."""
        return self.name.split("/")[0]


TABLE = (
    Row("popularity", "Every item by its number of interactions: what any model must beat."),
    Row("item_knn", "Items like the items a user has, by the users they share."),
    Row("matrix_factorization", "Factors and biases of users and items.", trains=True),
    Row(
        "cold_start/item_buckets",
        "Stage 1: factors of users and of genres.",
        trains=True,
        reads_items=True,
    ),
    Row(
        "cold_start/no_buckets",
        "Stage 2: every item on its own, from its genre's factors on.",
        trains=True,
        after="cold_start/item_buckets",
    ),
)


def rows(project: Project) -> list[Row]:
    """Return the rows of the models that the settings name."""
    return [row for row in TABLE if row.model in project.settings.models.names]


def final_stages(project: Project) -> dict[str, str]:
    """Return the name of the last stage of each model: the one that is judged."""
    return {row.model: row.name for row in rows(project)}


def argument(name: str) -> str:
    """Return the Python name of the input that is the model `name`."""
    return name.replace("/", "__")


def assets(project: Project) -> Sequence[dg.AssetsDefinition]:
    """Return the assets of this stage."""
    return [*(model_asset(row, project) for row in rows(project)), champion(project)]


def model_asset(row: Row, project: Project) -> dg.AssetsDefinition:
    """Return the asset `models/<name>`, the bundle made of one week's window."""
    ins = {"train": of("prepared/train")}
    if row.trains:
        ins["validation"] = of("prepared/validation")
    if row.reads_items:
        ins["items"] = of("raw/items")
    if row.after:
        ins["previous"] = of(f"models/{row.after}")
    kinds = {"pytorch"} if row.trains else {"scipy"}

    @asset(
        project,
        f"models/{row.name}",
        row.description,
        kinds,
        *CODE,
        ins=ins,
        io_manager_key="bundle",
        pool="gpu" if row.trains else None,
        op_tags=GPU if row.trains else None,
        retry_policy=dg.RetryPolicy(max_retries=1, delay=1) if row.trains else None,
    )
    def model(
        context: dg.AssetExecutionContext,
        device: Device,
        train: Path,
        **inputs: Any,
    ) -> Any:
        from collie_pipeline.modelling import Ingredients, make

        kind = device.resolve()
        given = Ingredients(project.settings, train, device=kind, **inputs)
        return _stored(context, make(row.name, given), kind)

    return model


def champion(project: Project) -> dg.AssetsDefinition:
    """Return `models/champion`."""
    names = [row.name for row in rows(project)]
    reads_items = any(row.reads_items for row in rows(project))

    @asset(
        project,
        "models/champion",
        "The winner, made again from the whole window, each stage for the epochs that "
        "validation chose.",
        {"pytorch"},
        *CODE,
        ins={
            "decision": of("evaluation/champion"),
            "positives": of("prepared/hdf5"),
            **({"items": of("raw/items")} if reads_items else {}),
            **{argument(name): of(f"models/{name}") for name in names},
        },
        io_manager_key="bundle",
        pool="gpu",
        op_tags=GPU,
    )
    def refitted(
        context: dg.AssetExecutionContext,
        device: Device,
        decision: pd.DataFrame,
        positives: Path,
        **inputs: Any,
    ) -> Any:
        from collie_pipeline.modelling import Ingredients, remake

        winner, kind = str(decision["model"].iloc[0]), device.resolve()
        stages = {n: inputs[argument(n)] for n in names if n.split("/")[0] == winner}
        given = Ingredients(project.settings, positives, items=inputs.get("items"), device=kind)
        made = remake(stages, given)
        context.add_output_metadata({"model": winner})
        return _stored(context, made, kind)

    return refitted


def _stored(context: dg.AssetExecutionContext, made: Any, kind: str) -> Any:
    """Return what the IO manager keeps of `made`, and show how its training went."""
    from collie_pipeline.storage import Trained

    context.add_output_metadata({"device": kind})
    if (history := made.history) is not None:
        context.add_output_metadata(
            {
                "epochs": history.best_epoch,
                "loss": history.losses[-1],
                "losses": dg.MetadataValue.md(f"`{sparkline(history.losses)}` by epoch"),
                "seconds": history.seconds,
            }
        )
        if history.scores:
            chart = dg.MetadataValue.md(f"`{sparkline(history.scores)}` by epoch")
            context.add_output_metadata(
                {"validation_map": max(history.scores), "validation_maps": chart}
            )
    return Trained(made.model, made.ids)
