"""How models with epochs are made: neural ones, and their stages."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from collie_core.bundle import read_bundle
from collie_core.interactions import ExplicitInteractions, Interactions, InteractionsDataLoader
from collie_core.model import (
    ARCHITECTURES,
    BasePipeline,
    MatrixFactorizationModel,
    MultiStagePipeline,
)
from collie_core.model.warm_start import is_alike, warm_start
from collie_core.train import fit
from collie_core.watchers import History
from collie_pipeline.ingredients import (
    Ingredients,
    Made,
    known_of_items,
    outside_ids,
    read_interactions,
    read_ratings,
)
from collie_pipeline.inputs import inputs_of
from collie_pipeline.model_settings import is_explicit
from collie_pipeline.settings import Settings
from collie_pipeline.training_settings import Training

ITEM_BIASES = ("item_biases.weight", "item_bucket_biases.weight", "biases.1.weight")


def make_neural(name: str, given: Ingredients) -> Made:
    """Train a neural model, or one stage of it; its settings are named as its parameters are."""
    family, _, stage = name.partition("/")
    options: Training = getattr(given.settings.models, family)
    data = _data(given.train, given.settings, options)
    loader = InteractionsDataLoader(data, shuffle=True, num_workers=0, **options.loading)
    ids = outside_ids(given.train)
    if family == "cold_start":
        ids["bucket"] = known_of_items(given).names
    with _seeded(given.settings.seed):
        model = _built(family, options, loader, given)
        if isinstance(model, MultiStagePipeline):
            model.set_stage(stage)
        if isinstance(data, ExplicitInteractions) and _knows_no_ratings(family, given):
            _start_at(float(data.ratings.mean()), model)
        last = given.warm.get(name)
        warm_rows = _begin(model, last, ids, given.settings.models.warm_shrink)
        history = _train(model, given, loader, name, options)
    curves = None if given.keeping is None else given.keeping.draw(name, history)
    warm_from = last.stem if last is not None and warm_rows else None
    return Made(model, ids, history, warm_rows, warm_from, curves)


def _data(path: Path, settings: Settings, options: Training) -> Interactions | ExplicitInteractions:
    """Return the data at `path` as the loss asks for them."""
    if options.is_explicit:
        return read_ratings(path, settings.seed)
    return read_interactions(path, settings, options.negatives)


def _knows_no_ratings(family: str, given: Ingredients) -> bool:
    """Return whether what the model begins from, if anything, learned positives."""
    is_other = family == "hybrid_pretrained"
    return given.previous is None or (
        is_other and not is_explicit(given.settings, "matrix_factorization")
    )


def _start_at(rating: float, model: BasePipeline) -> None:
    """Let all scores begin at `rating`: from 0 on, a model would be half trained to get there.

    So an item with few ratings is taken for an average one, and not for a bad one.
    """
    named = dict(model.named_parameters())
    biases = [named[name] for name in ITEM_BIASES if name in named] or [named["predict.bias"]]
    with torch.no_grad():
        for each in biases:
            each.fill_(rating)


def _begin(
    model: BasePipeline, last: Path | None, ids: Mapping[str, Sequence[str]], shrink: float
) -> int:
    """Take the embeddings of the bundle `last`, unless there is none or the settings changed."""
    if last is None or not is_alike(model, bundle := read_bundle(last)):
        return 0
    return warm_start(model, bundle, ids, shrink)


def _built(
    family: str, options: Training, loader: InteractionsDataLoader, given: Ingredients
) -> BasePipeline:
    architecture = ARCHITECTURES[family]
    chosen = options.arguments_of(architecture)
    if options.partial_credit:
        chosen["metadata_for_loss"] = {"bucket": known_of_items(given).buckets}
        chosen["metadata_for_loss_weights"] = {"bucket": options.partial_credit}
    parts = _parts(family, given)
    return architecture(train=loader, **chosen, **parts)


def _parts(family: str, given: Ingredients) -> dict[str, Any]:
    """Return what a model is made of beside interactions and numbers."""
    if family == "hybrid_pretrained":
        if given.previous is None:
            raise ValueError("previous is None: pass the bundle of matrix_factorization")
        trained = MatrixFactorizationModel(load_model_path=given.previous)
        return {"item_metadata": known_of_items(given).features, "trained_model": trained}
    if given.previous is not None:
        return {"load_model_path": given.previous}
    if family == "cold_start":
        return {"item_buckets": known_of_items(given).buckets}
    return {"item_metadata": known_of_items(given).features} if family == "hybrid" else {}


def _train(
    model: BasePipeline,
    given: Ingredients,
    loader: InteractionsDataLoader,
    name: str,
    options: Training,
) -> History:
    """Train for the epochs that validation chooses, or for those that are given."""
    validation, keeping = None, given.keeping
    if given.validation is not None:
        validation = _data(given.validation, given.settings, options)
    return fit(
        model,
        given.epochs.get(name, options.epochs),
        validation,
        seen=None if options.is_explicit else loader.mat.tocsr(),
        k=given.settings.evaluation.k,
        patience=options.patience,
        device=given.device,
        checkpoint=None if keeping is None else keeping.checkpoint(name, inputs_of(name, given)),
        loggers=() if keeping is None else keeping.loggers(name),
        after_epoch=given.after_epoch,
    )


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """Seed torch inside the block, and leave its random state as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield
