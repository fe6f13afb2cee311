"""models: every model, and every stage of a model, an asset of its own."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import dagster as dg
import pandas as pd

from collie_pipeline.assets.checks import found, promised
from collie_pipeline.assets.common import asset, of
from collie_pipeline.charts import sparkline
from collie_pipeline.model_table import Row, argument, chain, reads_features, rows
from collie_pipeline.project import Project
from collie_pipeline.resources import Device
from collie_pipeline.weeks import Week

CODE = ("collie_core", "collie_pipeline/modelling.py")
CHAMPION, FINITE = "models/champion", "finite_weights"
GPU = {
    "dagster-k8s/config": {"container_config": {"resources": {"limits": {"nvidia.com/gpu": 1}}}},
    "dagster-docker/config": {
        "container_kwargs": {
            "device_requests": [{"Driver": "nvidia", "Count": 1, "Capabilities": [["gpu"]]}]
        }
    },
}


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
        check_specs=promised(f"models/{row.name}", FINITE),
    )
    def model(
        context: dg.AssetExecutionContext,
        device: Device,
        train: Path,
        **inputs: Any,
    ) -> Iterator[Any]:
        from collie_pipeline.modelling import Ingredients, make

        kind, warm = device.resolve(), project.warm_bundles(Week.parse(context.partition_key))
        given = Ingredients(project.settings, train, device=kind, warm=warm, **inputs)
        _refuse_too_large(row, project, train, kind)
        yield from _stored(f"models/{row.name}", make(row.name, given), kind)

    return model


def _refuse_too_large(row: Row, project: Project, train: Path, kind: str) -> None:
    """Fail, once and for all, where the memory of the machine is too small for the model."""
    from collie_pipeline.planning import counts_in, refuse_what_does_not_fit

    try:
        refuse_what_does_not_fit(row.name, project.settings, counts_in(train), kind)
    except ValueError as error:
        raise dg.Failure(str(error), allow_retries=False) from None


def champion(project: Project) -> dg.AssetsDefinition:
    """Return `models/champion`."""
    names = [row.name for row in rows(project)]
    needs_features = any(reads_features(row, project) for row in rows(project))

    @asset(
        project,
        CHAMPION,
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
        check_specs=promised(CHAMPION, FINITE),
    )
    def refitted(
        context: dg.AssetExecutionContext,
        device: Device,
        decision: pd.DataFrame,
        positives: Path,
        **inputs: Any,
    ) -> Iterator[Any]:
        from collie_pipeline.modelling import Ingredients, remake

        winner, kind = str(decision["model"].iloc[0]), device.resolve()
        stages = {name: inputs[argument(name)] for name in chain(winner, names)}
        features = inputs.get("features")
        warm = project.warm_bundles(Week.parse(context.partition_key))
        given = Ingredients(project.settings, positives, features=features, device=kind, warm=warm)
        made = remake(stages, given)
        yield from _stored(CHAMPION, made, kind, model=winner)

    return refitted


def _stored(key: str, made: Any, kind: str, **facts: str) -> Iterator[Any]:
    """Yield what the IO manager keeps of `made`, how it came to be, and whether it may be used."""
    from collie_pipeline.checking import finite
    from collie_pipeline.storage import Trained

    metadata = {**facts, "device": kind, "warm_rows": made.warm_rows, **_training(made.history)}
    yield dg.Output(Trained(made.model, made.ids), metadata=metadata)
    yield found(key, FINITE, finite(made.model.tensors()))


def _training(history: Any) -> dict[str, Any]:
    """Return what there is to see of a training: its curves, and the epochs that were kept."""
    if history is None:
        return {}
    shown = {
        "epochs": history.best_epoch,
        "loss": round(history.losses[-1], 4),
        "losses": dg.MetadataValue.md(f"`{sparkline(history.losses)}` by epoch"),
        "seconds": round(history.seconds, 1),
    }
    if history.scores:
        shown["validation_map"] = round(max(history.scores), 4)
        shown["validation"] = dg.MetadataValue.md(f"`{sparkline(history.scores)}` MAP by epoch")
    return shown
