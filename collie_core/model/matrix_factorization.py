"""Matrix factorization."""

from collections.abc import Mapping
from typing import Any, ClassVar, Unpack

import torch
from torch import Tensor

from collie_core.model.base import BasePipeline
from collie_core.model.blocks import Dropout, ScaledEmbedding, ZeroEmbedding, biased_dot, in_range
from collie_core.model.loading import AnyInteractions
from collie_core.model.options import TrainingKeywords, TrainingOptions, plateau


class MatrixFactorizationModel(BasePipeline):
    """Dot product of a user's and an item's factors, plus both biases (Koren et al., 2009).

    The biases have an optimizer of their own, by default a slower one, so that the model does not
    take the short way of learning popularity alone.

    Parameters
    ----------
    train, val : see `BasePipeline`.
    embedding_dim : D, length of the factors.
    dropout_p : probability of dropping an entry of a factor, not of a bias, while training.
    sparse : whether gradients of the embeddings are sparse; without weight decay only.
    y_range : (minimum, maximum) of the scores, through a sigmoid.
    **options : see `TrainingOptions`.
    """

    option_defaults: ClassVar[Mapping[str, Any]] = {
        "lr_scheduler_func": plateau,
        "bias_lr": 1e-2,
        "bias_optimizer": "sgd",
    }

    def __init__(
        self,
        train: AnyInteractions = None,
        val: AnyInteractions = None,
        embedding_dim: int = 30,
        dropout_p: float = 0.0,
        sparse: bool = False,
        y_range: tuple[float, float] | None = None,
        **options: Unpack[TrainingKeywords],
    ) -> None:
        own = {
            "embedding_dim": embedding_dim,
            "dropout_p": dropout_p,
            "sparse": sparse,
            "y_range": y_range,
        }
        super().__init__(train, val, TrainingOptions.of(type(self), options), **own)

    def _setup_model(self, **kwargs: Any) -> None:  # noqa: ARG002 - the template's
        users, items = self.num_users, self.num_items
        size, sparse = self.hparams["embedding_dim"], self.hparams["sparse"]
        self.user_embeddings = ScaledEmbedding(users, size, sparse=sparse)
        self.item_embeddings = ScaledEmbedding(items, size, sparse=sparse)
        self.user_biases = ZeroEmbedding(users, 1, sparse=sparse)
        self.item_biases = ZeroEmbedding(items, 1, sparse=sparse)
        self.dropout = Dropout(self.hparams["dropout_p"])

    def forward(self, users: Tensor, items: Tensor) -> Tensor:
        """Score the pairs of `users` and `items`, both (B,): (B,), higher is better."""
        scores = biased_dot(
            self.dropout(self.user_embeddings(users)),
            self.dropout(self.item_embeddings(items)),
            self.user_biases(users),
            self.item_biases(items),
        )
        return in_range(scores, self.hparams["y_range"])

    def score_candidates(self, users: Tensor, items: Tensor) -> Tensor:
        """Score for each of `users` (B,) its own row of `items` (B, C): (B, C)."""
        return self.forward(users[:, None], items)

    def score_all(self, users: Tensor) -> Tensor:
        """Score every item for `users` (B,): (B, N), higher is better."""
        users = users.to(self.device)
        scores = torch.addmm(
            self.item_biases.weight.T, self.user_embeddings(users), self.item_embeddings.weight.T
        )
        return in_range(scores + self.user_biases(users), self.hparams["y_range"])

    def _get_item_embeddings(self) -> Tensor:
        return self.item_embeddings.weight
