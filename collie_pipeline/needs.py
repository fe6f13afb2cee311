"""What making each model needs: bytes of memory, by what they are for."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from inspect import signature
from typing import Any

from collie_core.baselines.sparse_bundle import CELLS_A_BLOCK
from collie_core.model import ARCHITECTURES
from collie_core.model.footprint import COUNTED, footprint
from collie_core.tables import lookup
from collie_pipeline.settings import Settings
from collie_pipeline.training_settings import Training

MEMORY, GPU_MEMORY = "memory", "GPU memory"
# Measured peaks: 94 bytes an interaction with 2 million of them, and 2.0 tables of scores
INTERACTION_BYTES = 96
SCORES = 4 * 2 * 1024  # bytes an item: two tables of float32 for the users that are judged at once
KNN_BLOCKS = 6  # dense blocks of float32 at once


@dataclass(frozen=True)
class Counts:
    """How much there is to learn from: users, items, interactions, and what is known of items.

    Parameters
    ----------
    num_buckets, num_features : of items; their number matters little, so that any guess is good.
    """

    num_users: int
    num_items: int
    num_interactions: int
    num_buckets: int = 100
    num_features: int = 100


@dataclass(frozen=True)
class Need:
    """Bytes that making a model needs at once, by what they are for.

    Parameters
    ----------
    name : the model, or the stage of one.
    parts : of each kind of memory, `memory` or `GPU memory`.
    """

    name: str
    parts: Mapping[str, Mapping[str, int]]

    def total(self, kind: str) -> int:
        """Return all bytes of one kind of memory."""
        return sum(self.parts.get(kind, {}).values())

    def largest(self, kind: str) -> str:
        """Return what most of one kind of memory is for."""
        parts = self.parts.get(kind, {})
        return max(parts, key=lambda part: parts[part], default="")


def needed(name: str, settings: Settings, counts: Counts, device: str = "cpu") -> Need:
    """Return what it takes to make `name`, a model or one of its stages.

    Parameters
    ----------
    device : "cpu", "mps" or "cuda"; the last has memory of its own.

    Raises
    ------
    ValueError
        If no model of that name has epochs, and it has no closed form either.
    """
    data = {"interactions": INTERACTION_BYTES * counts.num_interactions}
    if name in CLOSED:
        return Need(name, {MEMORY: {**data, **CLOSED[name](settings, counts)}})
    own = neural(name, settings, counts, device)
    if device != "cuda":
        return Need(name, {MEMORY: {**data, **own}})
    # the model is made before it moves, and scores come back to be ranked
    host = {"model": own["model"], "scores": SCORES * counts.num_items}
    return Need(name, {MEMORY: {**data, **host}, GPU_MEMORY: own})


def popularity(settings: Settings, counts: Counts) -> dict[str, int]:  # noqa: ARG001 - one for all
    """Return the bytes of one number an item, and of scores."""
    return {"model": 8 * counts.num_items, "scores": SCORES * counts.num_items}


def item_knn(settings: Settings, counts: Counts) -> dict[str, int]:
    """Return the bytes of `neighbours` an item, while blocks of them are joined, at most."""
    kept = counts.num_items * min(counts.num_items, settings.models.item_knn.neighbours)
    blocks = 4 * KNN_BLOCKS * _block(counts.num_items)
    return {"similarity": 16 * kept + blocks, "scores": SCORES * counts.num_items}


def ease(settings: Settings, counts: Counts) -> dict[str, int]:  # noqa: ARG001
    """Return the bytes of a weight for each two items, inverted in place."""
    return {
        "weights": 4 * (counts.num_items**2 + _block(counts.num_items)),
        "scores": SCORES * counts.num_items,
    }


def _block(num_items: int) -> int:
    """Return how many cells of items by items are dense at once."""
    return max(num_items, min(num_items**2, CELLS_A_BLOCK))


def neural(name: str, settings: Settings, counts: Counts, device: str) -> dict[str, int]:
    """Return the bytes of a model with epochs; see `collie_core.model.footprint`."""
    family, _, stage = name.partition("/")
    architecture = lookup("model", ARCHITECTURES, family)
    own: Training = getattr(settings.models, family)
    found = footprint(
        architecture,
        counts.num_users,
        counts.num_items,
        batch_size=own.loading["batch_size"],
        num_negative_samples=None if own.is_explicit else own.negatives,
        device=device,
        stage=stage or None,
        **_arguments(family, settings, counts),
    )
    # a batch and the scores of validation are not there at the same time
    scores = SCORES * counts.num_items
    passing = {"batch": found.batch} if found.batch > scores else {"scores": scores}
    kept = {"model": found.model, "gradients": found.gradients, "optimizer": found.optimizer}
    return {**kept, "best weights": found.model, **passing}


def _arguments(family: str, settings: Settings, counts: Counts) -> dict[str, Any]:
    """Return the settings of a model that its constructor knows, and the counts of its data."""
    known = signature(ARCHITECTURES[family]).parameters
    own: Training = getattr(settings.models, family)
    chosen = own.arguments_of(ARCHITECTURES[family])
    if "trained_model" in known:
        chosen["embedding_dim"] = settings.models.matrix_factorization.embedding_dim
    sizes = {"item_buckets": counts.num_buckets, "item_metadata": counts.num_features}
    return chosen | {COUNTED[data]: size for data, size in sizes.items() if data in known}


CLOSED: Mapping[str, Callable[[Settings, Counts], dict[str, int]]] = {
    "popularity": popularity,
    "item_knn": item_knn,
    "ease": ease,
}
