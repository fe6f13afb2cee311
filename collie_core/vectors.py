"""A model as vectors, for an index of nearest neighbours that is to rank as the model does."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from collie_core.model import (
    BasePipeline,
    ColdStartModel,
    CollaborativeMetricLearningModel,
    MatrixFactorizationModel,
    NonlinearMatrixFactorizationModel,
)
from collie_core.model.collaborative_metric_learning import EPSILON
from collie_core.model.scoring import TwoSided
from collie_core.recommend import scoring
from collie_core.scorer import Scorer

INNER_PRODUCT, L2, COSINE = "inner_product", "l2", "cosine"


@dataclass(frozen=True)
class IndexVectors:
    """Vectors of items and, where they rank items for users, of users.

    Parameters
    ----------
    items : (N, D) float32.
    users : (U, D) float32, or None where the model's score is no function of two vectors: then
        the items' vectors say which items are alike, and nothing of users.
    metric : `inner_product`, where the largest is best, `l2`, where the smallest is, or `cosine`.
    meaning : what the metric of two vectors is to the model, in a sentence.
    """

    items: Tensor
    users: Tensor | None
    metric: str
    meaning: str


def index_vectors(model: Scorer) -> IndexVectors | None:
    """Return the vectors of `model`; None for one that has none, such as a baseline."""
    if not isinstance(model, BasePipeline):
        return None
    with scoring(model):
        make = MAKERS.get(type(model), _items_alone)
        return make(model)


def _biased(model: Any) -> IndexVectors:
    """Return vectors with the item's bias as one more entry, which meets a 1 of the user's.

    The user's own bias is left out: it changes no order among the user's items.
    """
    (users, user_biases), (items, item_biases) = _sides(model)
    ranged = "" if model.hparams.get("y_range") is None else ", before the sigmoid of y_range"
    return IndexVectors(
        _stored(torch.cat([items, item_biases], dim=1)),
        _stored(torch.cat([users, torch.ones_like(user_biases)], dim=1)),
        INNER_PRODUCT,
        f"the score of user and item, less a constant of the user{ranged}",
    )


def _distances(model: Any) -> IndexVectors:
    (users,), (items,) = _sides(model)
    ranged = "" if model.hparams.get("y_range") is None else ", before the sigmoid of y_range"
    # The model adds EPSILON to each difference, and so does a user who has it added.
    meaning = f"minus the score of user and item{ranged}"
    return IndexVectors(_stored(items), _stored(users + EPSILON), L2, meaning)


def _items_alone(model: Any) -> IndexVectors:
    items = _stored(model._get_item_embeddings())
    return IndexVectors(items, None, COSINE, "how alike two items are; layers score users' items")


def _sides(model: TwoSided) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
    users = torch.arange(model.num_users, device=model.device)
    items = torch.arange(model.num_items, device=model.device)
    return model.user_side(users), model.item_side(items)


def _stored(vectors: Tensor) -> Tensor:
    return vectors.detach().to("cpu", torch.float32).contiguous()


MAKERS: Mapping[type, Callable[[Any], IndexVectors]] = {
    CollaborativeMetricLearningModel: _distances,
    ColdStartModel: _biased,
    MatrixFactorizationModel: _biased,
    NonlinearMatrixFactorizationModel: _biased,
}
