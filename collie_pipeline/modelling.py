"""How each model of the pipeline is made from its data: plain functions behind one table."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from collie_core.baselines import EASE, ItemKNN, Popularity
from collie_core.bundle import read_bundle, save_bundle
from collie_core.model import ARCHITECTURES
from collie_core.tables import lookup
from collie_pipeline.ingredients import Ingredients, Made, outside_ids, read_interactions
from collie_pipeline.model_settings import is_explicit
from collie_pipeline.training import make_neural


def _make_popularity(name: str, given: Ingredients) -> Made:  # noqa: ARG001 - makers' signature
    model = Popularity.fit(read_interactions(given.train, given.settings))
    return Made(model, outside_ids(given.train))


def _make_item_knn(name: str, given: Ingredients) -> Made:  # noqa: ARG001
    options = given.settings.models.item_knn
    train = read_interactions(given.train, given.settings)
    return Made(ItemKNN.fit(train, options.neighbours, options.shrinkage), outside_ids(given.train))


def _make_ease(name: str, given: Ingredients) -> Made:  # noqa: ARG001
    regularization = given.settings.models.ease.regularization
    train = read_interactions(given.train, given.settings)
    return Made(EASE.fit(train, regularization), outside_ids(given.train))


Maker = Callable[[str, Ingredients], Made]
BASELINES: Mapping[str, Maker] = {
    "popularity": _make_popularity,
    "item_knn": _make_item_knn,
    "ease": _make_ease,
}
MAKERS: Mapping[str, Maker] = {**dict.fromkeys(ARCHITECTURES, make_neural), **BASELINES}


def make(name: str, given: Ingredients) -> Made:
    """Make the model, or the stage of a model, called `name`, such as "cold_start/no_buckets"."""
    return lookup("model", MAKERS, name.partition("/")[0])(name, given)


def remake(stages: Mapping[str, Path], given: Ingredients, ratings: Path | None = None) -> Made:
    """Make a model again on other data, each stage for the epochs its bundle was trained.

    Parameters
    ----------
    stages : bundle of each stage, the first first, and before them of a model they start from.
    given : the data; its `validation`, `previous` and `epochs` are set here.
    ratings : HDF5 file of the data for stages whose loss is for ratings.

    Raises
    ------
    ValueError
        If there are no stages, or no ratings for one that learns from them.
    """
    made, previous = None, None
    done: dict[str, int] = {}
    data = learned_from(stages, given, ratings)
    with TemporaryDirectory() as scratch:
        for number, (name, bundle) in enumerate(stages.items()):
            family = name.partition("/")[0]
            total = int(read_bundle(bundle).config.get("num_epochs_completed", 0))
            epochs = {name: total - done.get(family, 0)}
            step = replace(
                given, train=data[name], validation=None, previous=previous, epochs=epochs
            )
            made, done[family] = make(name, step), total
            previous = Path(scratch, f"{number}.bundle")
            save_bundle(made.model, previous, made.ids)
    if made is None:
        raise ValueError("stages is empty: name the bundles of the model's stages")
    return made


def learned_from(
    stages: Iterable[str], given: Ingredients, ratings: Path | None
) -> dict[str, Path]:
    """Return the file that each stage is made of: `ratings`, where its loss is for them.

    Raises
    ------
    ValueError
        See `remake`.
    """
    found = {}
    for name in stages:
        rated = is_explicit(given.settings, name.partition("/")[0])
        path = ratings if rated else given.train
        if path is None:
            raise ValueError(
                f"{name} learns from ratings, and there are none: pass prepared/ratings"
            )
        found[name] = path
    return found
