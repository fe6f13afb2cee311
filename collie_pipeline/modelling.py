"""How each model of the pipeline is made from its data: plain functions behind one table."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd
import torch

from collie_core.baselines import EASE, ItemKNN, Popularity
from collie_core.bundle import read_bundle, save_bundle
from collie_core.interactions import Interactions, InteractionsDataLoader, read_hdf5
from collie_core.model import (
    ARCHITECTURES,
    BasePipeline,
    MatrixFactorizationModel,
    MultiStagePipeline,
)
from collie_core.model.warm_start import is_alike, warm_start
from collie_core.scorer import Bundled
from collie_core.tables import lookup
from collie_core.train import History, fit
from collie_pipeline.model_settings import Training
from collie_pipeline.preparation import read_ids
from collie_pipeline.settings import Settings


@dataclass(frozen=True)
class Ingredients:
    """What a model is made of.

    Parameters
    ----------
    settings : all settings.
    train : HDF5 file of the interactions to learn from.
    validation : HDF5 file on which the number of epochs is chosen; None trains for `epochs`.
    features : `prepared/item_features`, for models that know more of items than who met them.
    device : "cpu", "cuda" or "mps".
    previous : bundle of the stage before, or of the model this one starts from.
    epochs : epochs to train, by name of the model or stage, in place of those of the settings.
    warm : bundle of last week, by name of the model, to begin from where it is of the same kind.
    """

    settings: Settings
    train: Path
    validation: Path | None = None
    features: pd.DataFrame | None = None
    device: str = "cpu"
    previous: Path | None = None
    epochs: Mapping[str, int] = field(default_factory=dict)
    warm: Mapping[str, Path] = field(default_factory=dict)


@dataclass(frozen=True)
class Made:
    """A model, its outside ids, and the history of its training where it has epochs.

    `warm_rows` counts the users and items whose embeddings came from last week.
    """

    model: Bundled
    ids: Mapping[str, Sequence[str]]
    history: History | None = None
    warm_rows: int = 0


@dataclass(frozen=True)
class Known:
    """What is known of items: their bucket (N,), the buckets' names, and features (N, F)."""

    buckets: torch.Tensor
    names: list[str]
    features: torch.Tensor


def known_of_items(given: Ingredients) -> Known:
    """Return what `given.features` say of the items.

    Raises
    ------
    ValueError
        If there are none.
    """
    if given.features is None:
        raise ValueError("features is None: pass prepared/item_features")
    codes, names = pd.factorize(given.features["bucket"], sort=True)
    numbers = given.features.drop(columns=["item_id", "bucket"]).to_numpy(dtype="float32")
    named = [str(name) for name in names]
    return Known(torch.tensor(codes), named, torch.tensor(numbers))


def _interactions(path: Path, settings: Settings, negatives: int = 1) -> Interactions:
    return read_hdf5(
        path,
        num_negative_samples=negatives,
        allow_missing_ids=True,
        seed=settings.seed,
        check_num_negative_samples_is_valid=False,
    )


def _ids(path: Path) -> dict[str, list[str]]:
    user_ids, item_ids = read_ids(path)
    return {"user_id": list(user_ids), "item_id": list(item_ids)}


def _make_popularity(name: str, given: Ingredients) -> Made:  # noqa: ARG001 - makers' signature
    model = Popularity.fit(_interactions(given.train, given.settings))
    return Made(model, _ids(given.train))


def _make_item_knn(name: str, given: Ingredients) -> Made:  # noqa: ARG001
    options = given.settings.models.item_knn
    train = _interactions(given.train, given.settings)
    return Made(ItemKNN.fit(train, options.neighbours, options.shrinkage), _ids(given.train))


def _make_ease(name: str, given: Ingredients) -> Made:  # noqa: ARG001
    regularization = given.settings.models.ease.regularization
    train = _interactions(given.train, given.settings)
    return Made(EASE.fit(train, regularization), _ids(given.train))


def _make_neural(name: str, given: Ingredients) -> Made:
    """Train a neural model, or one stage of it; its settings are named as its parameters are."""
    family, _, stage = name.partition("/")
    options: Training = getattr(given.settings.models, family)
    data = _interactions(given.train, given.settings, options.num_negative_samples)
    loader = InteractionsDataLoader(
        data, batch_size=options.batch_size, shuffle=True, num_workers=0
    )
    ids = _ids(given.train)
    if family == "cold_start":
        ids["bucket"] = known_of_items(given).names
    with _seeded(given.settings.seed):
        model = _built(family, options, loader, given)
        if isinstance(model, MultiStagePipeline):
            model.set_stage(stage)
        warm_rows = _begin(model, given.warm.get(name), ids)
        history = _train(model, given, loader, name, options)
    return Made(model, ids, history, warm_rows)


def _begin(model: BasePipeline, last: Path | None, ids: Mapping[str, Sequence[str]]) -> int:
    """Take the embeddings of last week's bundle, unless there is none or the settings changed."""
    if last is None or not is_alike(model, bundle := read_bundle(last)):
        return 0
    return warm_start(model, bundle, ids)


def _built(
    family: str, options: Training, loader: InteractionsDataLoader, given: Ingredients
) -> BasePipeline:
    architecture = ARCHITECTURES[family]
    chosen = options.arguments_of(architecture)
    if options.partial_credit:
        chosen["metadata_for_loss"] = {"bucket": known_of_items(given).buckets}
        chosen["metadata_for_loss_weights"] = {"bucket": options.partial_credit}
    parts = _parts(family, given)
    return architecture(train=loader, lr_scheduler_func=None, **chosen, **parts)


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
    validation = None
    if given.validation is not None:
        validation = _interactions(given.validation, given.settings)
    return fit(
        model,
        given.epochs.get(name, options.epochs),
        validation,
        seen=loader.mat.tocsr(),
        k=given.settings.evaluation.k,
        patience=options.patience,
        device=given.device,
    )


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """Seed torch inside the block, and leave its random state as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield


Maker = Callable[[str, Ingredients], Made]
BASELINES: Mapping[str, Maker] = {
    "popularity": _make_popularity,
    "item_knn": _make_item_knn,
    "ease": _make_ease,
}
MAKERS: Mapping[str, Maker] = {**dict.fromkeys(ARCHITECTURES, _make_neural), **BASELINES}


def make(name: str, given: Ingredients) -> Made:
    """Make the model, or the stage of a model, called `name`, such as "cold_start/no_buckets"."""
    return lookup("model", MAKERS, name.partition("/")[0])(name, given)


def remake(stages: Mapping[str, Path], given: Ingredients) -> Made:
    """Make a model again on other data, each stage for the epochs its bundle was trained.

    Parameters
    ----------
    stages : bundle of each stage, the first first, and before them of a model they start from.
    given : the data; its `validation`, `previous` and `epochs` are set here.
    """
    made, previous = None, None
    done: dict[str, int] = {}
    with TemporaryDirectory() as scratch:
        for number, (name, bundle) in enumerate(stages.items()):
            family = name.partition("/")[0]
            total = int(read_bundle(bundle).config.get("num_epochs_completed", 0))
            epochs = {name: total - done.get(family, 0)}
            step = replace(given, validation=None, previous=previous, epochs=epochs)
            made, done[family] = make(name, step), total
            previous = Path(scratch, f"{number}.bundle")
            save_bundle(made.model, previous, made.ids)
    if made is None:
        raise ValueError("stages is empty: name the bundles of the model's stages")
    return made
