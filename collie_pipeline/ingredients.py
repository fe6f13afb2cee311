"""What models are made of, and what comes of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd
import torch

from collie_core.interactions import ExplicitInteractions, Interactions, read_hdf5
from collie_core.scorer import Bundled
from collie_core.watchers import History, Told
from collie_pipeline.keeping import Keeping
from collie_pipeline.preparation import read_ids
from collie_pipeline.settings import Settings


@dataclass(frozen=True)
class Ingredients:
    """What a model is made of.

    Parameters
    ----------
    settings : all settings.
    train : HDF5 file of the interactions to learn from; of ratings, if the loss is for these.
    validation : HDF5 file on which the number of epochs is chosen; None trains for `epochs`.
    features : `prepared/item_features`, for models that know more of items than who met them.
    device : "cpu", "cuda" or "mps".
    previous : bundle of the stage before, or of the model this one starts from.
    epochs : epochs to train, by name of the model or stage, in place of those of the settings.
    warm : bundle of an earlier week, by name of the model, to begin from if it is of the same kind;
        its name is the week.
    keeping : where training leaves checkpoints and logs; None leaves none.
    after_epoch : told of each epoch of a training; see `collie_core.train.fit`.
    """

    settings: Settings
    train: Path
    validation: Path | None = None
    features: pd.DataFrame | None = None
    device: str = "cpu"
    previous: Path | None = None
    epochs: Mapping[str, int] = field(default_factory=dict)
    warm: Mapping[str, Path] = field(default_factory=dict)
    keeping: Keeping | None = None
    after_epoch: Told | None = None


@dataclass(frozen=True)
class Made:
    """A model, its outside ids, and the history of its training where it has epochs.

    `warm_rows` counts the users and items whose embeddings came from the week `warm_from`, and
    `curves` is a picture of the history.
    """

    model: Bundled
    ids: Mapping[str, Sequence[str]]
    history: History | None = None
    warm_rows: int = 0
    warm_from: str | None = None
    curves: Path | None = None


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


def read_interactions(path: Path, settings: Settings, negatives: int = 1) -> Interactions:
    """Return the interactions in the HDF5 file at `path`, with as many negatives for each."""
    return read_hdf5(
        path,
        num_negative_samples=negatives,
        allow_missing_ids=True,
        seed=settings.seed,
        check_num_negative_samples_is_valid=False,
    )


def read_ratings(path: Path, seed: int = 0) -> ExplicitInteractions:
    """Return the ratings in the HDF5 file at `path`, as numbers to be learned."""
    rows = read_hdf5(path, allow_missing_ids=True, max_number_of_samples_to_consider=0)
    return ExplicitInteractions(
        users=rows.users,
        items=rows.items,
        ratings=rows.ratings,
        num_users=rows.num_users,
        num_items=rows.num_items,
        allow_missing_ids=True,
        seed=seed,
    )


def outside_ids(path: Path) -> dict[str, list[str]]:
    """Return the outside ids by number in the HDF5 file at `path`."""
    user_ids, item_ids = read_ids(path)
    return {"user_id": list(user_ids), "item_id": list(item_ids)}
