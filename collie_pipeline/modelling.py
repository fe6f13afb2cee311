"""How each model of the pipeline is made from its data: plain functions behind one table."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch

from collie_core.baselines import ItemKNN, Popularity
from collie_core.bundle import read_bundle, save_bundle
from collie_core.interactions import Interactions, InteractionsDataLoader, read_hdf5
from collie_core.model import BasePipeline, ColdStartModel, MatrixFactorizationModel
from collie_core.scorer import Bundled
from collie_core.tables import lookup
from collie_core.train import History, fit
from collie_pipeline.preparation import read_ids
from collie_pipeline.settings import Settings

UNKNOWN_GENRE = "unknown"


@dataclass(frozen=True)
class Ingredients:
    """What a model is made of.

    Parameters
    ----------
    settings : all settings.
    train : HDF5 file of the interactions to learn from.
    validation : HDF5 file on which the number of epochs is chosen; None trains for `epochs`.
    items : table with item_id and genres, for models with buckets.
    device : "cpu", "cuda" or "mps".
    previous : bundle of the stage before.
    epochs : epochs to train, by name of the model or stage, in place of those of the settings.
    """

    settings: Settings
    train: Path
    validation: Path | None = None
    items: pd.DataFrame | None = None
    device: str = "cpu"
    previous: Path | None = None
    epochs: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Made:
    """A model, its outside ids, and the history of its training where it has epochs."""

    model: Bundled
    ids: Mapping[str, Sequence[str]]
    history: History | None = None


def item_buckets(
    items: pd.DataFrame, item_ids: Sequence[str]
) -> tuple[npt.NDArray[np.int64], list[str]]:
    """Return the bucket (N,) of each of `item_ids`, its first genre, and the buckets' names."""
    genres = items.drop_duplicates("item_id").set_index("item_id")["genres"].fillna("")
    first = genres.str.split("|").str[0].replace("", UNKNOWN_GENRE)
    of_items = first.reindex(list(item_ids)).fillna(UNKNOWN_GENRE)
    codes, names = pd.factorize(of_items, sort=True)
    return codes.astype(np.int64), [str(name) for name in names]


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


def _make_popularity(given: Ingredients) -> Made:
    model = Popularity.fit(_interactions(given.train, given.settings))
    return Made(model, _ids(given.train))


def _make_item_knn(given: Ingredients) -> Made:
    options = given.settings.models.item_knn
    model = ItemKNN.fit(
        _interactions(given.train, given.settings), options.neighbours, options.shrinkage
    )
    return Made(model, _ids(given.train))


def _loader(given: Ingredients, negatives: int, batch_size: int) -> InteractionsDataLoader:
    interactions = _interactions(given.train, given.settings, negatives)
    return InteractionsDataLoader(interactions, batch_size=batch_size, shuffle=True, num_workers=0)


def _train(
    model: BasePipeline, given: Ingredients, loader: InteractionsDataLoader, key: str, options: Any
) -> History:
    """Train for the epochs that validation chooses, or for those that are given."""
    validation = None
    if given.validation is not None:
        validation = _interactions(given.validation, given.settings)
    return fit(
        model,
        given.epochs.get(key, options.epochs),
        validation,
        seen=loader.mat.tocsr(),
        k=given.settings.evaluation.k,
        patience=options.patience,
        device=given.device,
    )


def _make_matrix_factorization(given: Ingredients) -> Made:
    options = given.settings.models.matrix_factorization
    loader = _loader(given, options.num_negative_samples, options.batch_size)
    with _seeded(given.settings.seed):
        model = MatrixFactorizationModel(
            train=loader,
            embedding_dim=options.embedding_dim,
            dropout_p=options.dropout_p,
            lr=options.lr,
            bias_optimizer=None,
            lr_scheduler_func=None,
            weight_decay=options.weight_decay,
            loss=options.loss,
        )
        history = _train(model, given, loader, "matrix_factorization", options)
    return Made(model, _ids(given.train), history)


def _make_item_buckets(given: Ingredients) -> Made:
    options = given.settings.models.cold_start
    loader = _loader(given, options.num_negative_samples, options.batch_size)
    if given.items is None:
        raise ValueError("items is None: buckets are made of the items' genres, pass them")
    ids = _ids(given.train)
    buckets, names = item_buckets(given.items, ids["item_id"])
    with _seeded(given.settings.seed):
        model = ColdStartModel(
            train=loader,
            item_buckets=buckets,
            embedding_dim=options.embedding_dim,
            dropout_p=options.dropout_p,
            item_buckets_stage_lr=options.item_buckets_stage_lr,
            lr_scheduler_func=None,
            weight_decay=options.weight_decay,
            loss=options.loss,
        )
        history = _train(model, given, loader, "cold_start/item_buckets", options)
    return Made(model, {**ids, "bucket": names}, history)


def _make_no_buckets(given: Ingredients) -> Made:
    options = given.settings.models.cold_start
    loader = _loader(given, options.num_negative_samples, options.batch_size)
    if given.previous is None:
        raise ValueError("previous is None: pass the bundle of stage item_buckets")
    with _seeded(given.settings.seed):
        model = ColdStartModel(
            train=loader,
            load_model_path=given.previous,
            no_buckets_stage_lr=options.no_buckets_stage_lr,
            lr_scheduler_func=None,
            weight_decay=options.weight_decay,
            loss=options.loss,
        )
        model.advance_stage()
        history = _train(model, given, loader, "cold_start/no_buckets", options)
    return Made(model, read_bundle(given.previous).ids, history)


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """Seed torch inside the block, and leave its random state as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield


MAKERS: Mapping[str, Callable[[Ingredients], Made]] = {
    "popularity": _make_popularity,
    "item_knn": _make_item_knn,
    "matrix_factorization": _make_matrix_factorization,
    "cold_start/item_buckets": _make_item_buckets,
    "cold_start/no_buckets": _make_no_buckets,
}


def make(name: str, given: Ingredients) -> Made:
    """Make the model, or the stage of a model, called `name`."""
    return lookup("model", MAKERS, name)(given)


def remake(stages: Mapping[str, Path], given: Ingredients) -> Made:
    """Make a model again on other data, each stage for the epochs its bundle was trained.

    Parameters
    ----------
    stages : bundle of each stage, the first first.
    given : the data; its `validation`, `previous` and `epochs` are set here.
    """
    made, done, previous = None, 0, None
    with TemporaryDirectory() as scratch:
        for number, (name, bundle) in enumerate(stages.items()):
            total = int(read_bundle(bundle).config.get("num_epochs_completed", 0))
            epochs = {name: total - done}
            step = replace(given, validation=None, previous=previous, epochs=epochs)
            made, done = make(name, step), total
            previous = Path(scratch, f"{number}.bundle")
            save_bundle(made.model, previous, made.ids)
    if made is None:
        raise ValueError("stages is empty: name the bundles of the model's stages")
    return made
