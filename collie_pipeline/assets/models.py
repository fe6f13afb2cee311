"""models: every model, and every stage of a model, an asset of its own."""

import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import dagster as dg
import pandas as pd

from collie_pipeline.assets.checks import found, promised
from collie_pipeline.assets.common import asset, of
from collie_pipeline.charts import plot
from collie_pipeline.model_settings import explicit_models
from collie_pipeline.model_table import Row, argument, chain, made_from, reads_features, rows
from collie_pipeline.parents import end_with_parent
from collie_pipeline.project import Project
from collie_pipeline.resources import Device
from collie_pipeline.weeks import Week

MAKING = tuple(f"collie_pipeline/{name}.py" for name in ("ingredients", "modelling", "training"))
CHAMPION, FINITE = "models/champion", "finite_weights"
AGAIN = dg.RetryPolicy(max_retries=1, delay=1)  # which goes on from the checkpoint
LABELS = {"mapk": "MAP", "mse": "MSE"}
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
    kinds = {"pytorch"} if row.trains else {"scipy"}

    @asset(
        project,
        f"models/{row.name}",
        row.description,
        kinds,
        *row.code,
        *MAKING,
        ins={argument: of(key) for argument, key in made_from(row, project).items()},
        io_manager_key="bundle",
        pool="gpu" if row.trains else None,
        op_tags=GPU if row.trains else None,
        retry_policy=AGAIN if row.trains else None,
        check_specs=promised(f"models/{row.name}", FINITE),
    )
    def model(
        context: dg.AssetExecutionContext,
        device: Device,
        train: Path,
        **inputs: Any,
    ) -> Iterator[Any]:
        from collie_pipeline.ingredients import Ingredients
        from collie_pipeline.modelling import make

        end_with_parent()
        kind, warm = device.resolve(), project.warm_bundles(Week.parse(context.partition_key))
        keeping = _keeping(project, row.name, context)
        given = Ingredients(
            project.settings, train, device=kind, warm=warm, keeping=keeping, **inputs
        )
        needs = _needed({row.name: train}, project, kind, context)
        began = time.perf_counter()
        made = make(row.name, given)
        took = round(time.perf_counter() - began, 2)
        yield from _stored(f"models/{row.name}", made, given, seconds=took, **needs)

    return model


def _needed(
    data: Mapping[str, Path], project: Project, kind: str, context: dg.AssetExecutionContext
) -> dict[str, Any]:
    """Return the memory that making models needs, one after the other, and say it before it is.

    Fail, once and for all, where the memory of the machine is too small for one of them.

    Parameters
    ----------
    data : HDF5 file that each model, or stage, is made of.
    """
    from collie_pipeline.planning import at_most, counts_in, in_full, refuse_what_does_not_fit, slow

    needs = []
    for name, path in data.items():
        try:
            counts = counts_in(path)
            need = refuse_what_does_not_fit(name, project.settings, counts, kind)
        except ValueError as error:
            raise dg.Failure(str(error), allow_retries=False) from None
        needs.append(need)
        context.log.info(in_full(need))
        if said := slow(name, project.settings, counts):
            context.log.warning(said)
    totals = {
        f"{memory.lower().replace(' ', '_')}_needed_mib": size
        for memory, size in at_most(needs).items()
    }
    return {**totals, "needs": "\n".join(map(in_full, needs))}


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
        "collie_core",
        *MAKING,
        ins={
            "decision": of("evaluation/champion"),
            "positives": of("prepared/hdf5"),
            **({"ratings": of("prepared/ratings")} if explicit_models(project.settings) else {}),
            **({"features": of("prepared/item_features")} if needs_features else {}),
            **{argument(name): of(f"models/{name}") for name in names},
        },
        io_manager_key="bundle",
        pool="gpu",
        op_tags=GPU,
        retry_policy=AGAIN,
        check_specs=promised(CHAMPION, FINITE),
    )
    def refitted(
        context: dg.AssetExecutionContext,
        device: Device,
        decision: pd.DataFrame,
        positives: Path,
        **inputs: Any,
    ) -> Iterator[Any]:
        from collie_pipeline.ingredients import Ingredients
        from collie_pipeline.modelling import learned_from, remake

        end_with_parent()
        winner, kind = str(decision["model"].iloc[0]), device.resolve()
        stages = {name: inputs[argument(name)] for name in chain(winner, names)}
        features, ratings = inputs.get("features"), inputs.get("ratings")
        warm = project.warm_bundles(Week.parse(context.partition_key))
        keeping = _keeping(project, "champion", context)
        given = Ingredients(
            project.settings,
            positives,
            features=features,
            device=kind,
            warm=warm,
            keeping=keeping,
        )
        needs = _needed(learned_from(stages, given, ratings), project, kind, context)
        made = remake(stages, given, ratings)
        yield from _stored(CHAMPION, made, given, model=winner, **needs)

    return refitted


def _keeping(project: Project, asset: str, context: dg.AssetExecutionContext) -> Any:
    """Return where the trainings of an asset leave checkpoints and logs, which must be at hand."""
    from collie_pipeline.keeping import Keeping

    settings = project.settings.training
    return Keeping(project.root, asset, context.partition_key, settings)


def _stored(key: str, made: Any, given: Any, **facts: Any) -> Iterator[Any]:
    """Yield what the IO manager keeps of `made`, how it came to be, and whether it may be used."""
    from collie_pipeline.checking import finite
    from collie_pipeline.storage import Trained

    metadata = {**facts, "device": given.device, "warm_rows": made.warm_rows, **_training(made)}
    if made.warm_from is not None:
        metadata["warm_from"] = made.warm_from
    yield dg.Output(Trained(made.model, made.ids), metadata=metadata)
    given.keeping.clear()  # only now is the bundle on disk
    yield found(key, FINITE, finite(made.model.tensors()))


def _training(made: Any) -> dict[str, Any]:
    """Return what there is to see of a training: its curves, and the epochs that were kept."""
    history = made.history
    if history is None:
        return {}
    shown = {
        "epochs": history.best_epoch,
        "loss": round(history.losses[-1], 4),
        "losses": dg.MetadataValue.md(f"Loss by epoch\n{plot(history.losses)}"),
        "seconds": round(history.seconds, 1),
        "curves": dg.MetadataValue.path(str(made.curves)),
    }
    if history.scores:
        name = LABELS[history.metric]
        shown[f"validation_{name.lower()}"] = round(history.best_score, 4)
        shown["validation"] = dg.MetadataValue.md(f"{name} by epoch\n{plot(history.scores)}")
    if history.resumed_after:
        shown["resumed_after_epoch"] = history.resumed_after
    return shown
