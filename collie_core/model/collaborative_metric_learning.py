"""Users near the items they like."""

from collections.abc import Mapping
from typing import Any, ClassVar, Unpack

import torch
from torch import Tensor
from torch.nn.functional import pairwise_distance

from collie_core.model.base import BasePipeline
from collie_core.model.blocks import ScaledEmbedding, in_range
from collie_core.model.loading import AnyInteractions
from collie_core.model.options import SCHEDULED, TrainingKeywords, TrainingOptions
from collie_core.model.scoring import Side, TwoSided

EPSILON = 1e-6  # added to each difference, as torch does: the root has no gradient at 0


class CollaborativeMetricLearningModel(TwoSided, BasePipeline):
    """The distance of a user's and an item's factors, negated (Campo et al., arXiv:1803.00202).

    The reference returns the distance itself, so that the farthest item ranks first.

    Parameters
    ----------
    train, val : see `BasePipeline`.
    embedding_dim : D, length of the factors.
    sparse : whether gradients of the embeddings are sparse; without weight decay only.
    y_range : (minimum, maximum) of the scores, through a sigmoid.
    **options : see `TrainingOptions`.
    """

    option_defaults: ClassVar[Mapping[str, Any]] = SCHEDULED
    pairs_at_once = 1 << 26

    def __init__(
        self,
        train: AnyInteractions = None,
        val: AnyInteractions = None,
        embedding_dim: int = 30,
        sparse: bool = False,
        y_range: tuple[float, float] | None = None,
        **options: Unpack[TrainingKeywords],
    ) -> None:
        own = {"embedding_dim": embedding_dim, "sparse": sparse, "y_range": y_range}
        super().__init__(train, val, TrainingOptions.of(type(self), options), **own)

    def _setup_model(self, **kwargs: Any) -> None:  # noqa: ARG002 - the template's
        size, sparse = self.hparams["embedding_dim"], self.hparams["sparse"]
        self.user_embeddings = ScaledEmbedding(self.num_users, size, sparse=sparse)
        self.item_embeddings = ScaledEmbedding(self.num_items, size, sparse=sparse)

    def user_side(self, users: Tensor) -> Side:
        """Return factors (..., D) of `users` (...)."""
        return (self.user_embeddings(users),)

    def item_side(self, items: Tensor) -> Side:
        """Return factors (..., D) of `items` (...)."""
        return (self.item_embeddings(items),)

    def match(self, user: Side, item: Side) -> Tensor:
        """Score users' sides against items': (...)."""
        return in_range(-distance(user[0], item[0]), self.hparams["y_range"])


def distance(user_vectors: Tensor, item_vectors: Tensor) -> Tensor:
    """Return Euclidean distances over the last dimension, broadcasting: (...)."""
    if user_vectors.ndim == 3 and user_vectors.shape[1] == item_vectors.shape[0] == 1:
        # the mode that multiplies matrices loses the small distances, which rank first
        return torch.cdist(
            user_vectors[:, 0] + EPSILON,
            item_vectors[0],
            compute_mode="donot_use_mm_for_euclid_dist",
        )
    return pairwise_distance(user_vectors, item_vectors, eps=EPSILON)
