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
from collie_pipeline.weeks import Week

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
    knows_items : whether it is made of what is known of the items.
    after : the stage, or the other model, whose bundle it starts from.
    """

    name: str
    description: str
    trains: bool = True
    knows_items: bool = False
    after: str | None = None

    @property
    def model(self) -> str:
        """The model it belongs to, as settings and leaderboard call it."""
        return self.name.split("/")[0]


TABLE = (
    Row("popularity", "Every item by its number of interactions: what any model must beat.", False),
    Row("item_knn", "Items like the items a user has, by the users they share.", False),
    Row("ease", "Every item from all items a user has, in closed form.", False),
    Row("matrix_factorization", "Factors and biases of users and items."),
    Row("mlp_matrix_factorization", "A perceptron over the factors of users and items."),
    Row("nonlinear_matrix_factorization", "Factors that went through dense layers."),
    Row("collaborative_metric_learning", "Users near the items they like."),
    Row("neural_collaborative_filtering", "Factors and a perceptron side by side."),
    Row("deep_fm", "A factorization machine and a perceptron over the same factors."),
    Row(
        "hybrid_pretrained",
        "Layers over features of items and the factors of matrix_factorization.",
        knows_items=True,
        after="matrix_factorization",
    ),
    Row(
        "cold_start/item_buckets",
        "Stage 1: factors of users and of buckets of items.",
        knows_items=True,
    ),
    Row(
        "cold_start/no_buckets",
        "Stage 2: every item on its own, from its bucket's factors on.",
        knows_items=True,
        after="cold_start/item_buckets",
    ),
    Row(
        "hybrid/matrix_factorization",
        "Stage 1: factors and biases of users and items.",
        knows_items=True,
    ),
    Row(
        "hybrid/metadata_only",
        "Stage 2: layers over features of items, and factors that stay.",
        after="hybrid/matrix_factorization",
    ),
    Row("hybrid/all", "Stage 3: factors and layers together.", after="hybrid/metadata_only"),
)


def rows(project: Project) -> list[Row]:
    """Return the rows of the models that the settings name."""
    return [row for row in TABLE if row.model in project.settings.models.names]


def reads_features(row: Row, project: Project) -> bool:
    """Return whether a model knows its items, or has partial credit for like ones."""
    own = getattr(project.settings.models, row.model, None)
    return row.knows_items or bool(getattr(own, "partial_credit", 0))


def chain(winner: str, names: Sequence[str]) -> list[str]:
    """Return which of `names` a model is made of, the first first: its stages, and what is before.

    Parameters
    ----------
    winner : the model.
    names : all rows there are.
    """
    table = {row.name: row for row in TABLE if row.name in names}
    last: str | None = [name for name, row in table.items() if row.model == winner][-1]
    stages = []
    while last is not None:
        stages.append(last)
        last = table[last].after
    return stages[::-1]


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
    if reads_features(row, project):
        ins["features"] = of("prepared/item_features")
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

        kind, warm = device.resolve(), project.warm_bundles(Week.parse(context.partition_key))
        given = Ingredients(project.settings, train, device=kind, warm=warm, **inputs)
        return _stored(context, make(row.name, given), kind)

    return model


def champion(project: Project) -> dg.AssetsDefinition:
    """Return `models/champion`."""
    names = [row.name for row in rows(project)]
    needs_features = any(reads_features(row, project) for row in rows(project))

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
            **({"features": of("prepared/item_features")} if needs_features else {}),
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
        stages = {name: inputs[argument(name)] for name in chain(winner, names)}
        features = inputs.get("features")
        warm = project.warm_bundles(Week.parse(context.partition_key))
        given = Ingredients(project.settings, positives, features=features, device=kind, warm=warm)
        made = remake(stages, given)
        context.add_output_metadata({"model": winner})
        return _stored(context, made, kind)

    return refitted


def _stored(context: dg.AssetExecutionContext, made: Any, kind: str) -> Any:
    """Return what the IO manager keeps of `made`, and show how its training went."""
    from collie_pipeline.storage import Trained

    context.add_output_metadata({"device": kind, "warm_rows": made.warm_rows})
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
