"""Matrix factorization whose dot product is a multilayer perceptron."""

from collections.abc import Mapping
from typing import Any, ClassVar, Unpack

import torch
from torch import Tensor

from collie_core.interactions.ids import at_least
from collie_core.model.base import BasePipeline
from collie_core.model.blocks import ScaledEmbedding, Tower, ZeroEmbedding, in_range
from collie_core.model.loading import AnyInteractions
from collie_core.model.options import BIASED, TrainingKeywords, TrainingOptions
from collie_core.model.scoring import Side, TwoSided


class MLPMatrixFactorizationModel(TwoSided, BasePipeline):
    """Sigmoid of a perceptron over a user's and an item's factors, plus both biases.

    Layer l of L has 2 D · (L - l + 1) / (L + 1) outputs, rounded down, with ReLU after each.

    Parameters
    ----------
    train, val : see `BasePipeline`.
    embedding_dim : D, length of the factors.
    num_layers : L, hidden layers.
    dropout_p : probability of dropping an output of a layer while training.
    y_range : (minimum, maximum) of the scores, through a sigmoid.
    **options : see `TrainingOptions`.
    """

    option_defaults: ClassVar[Mapping[str, Any]] = BIASED

    def __init__(
        self,
        train: AnyInteractions = None,
        val: AnyInteractions = None,
        embedding_dim: int = 30,
        num_layers: int = 3,
        dropout_p: float = 0.0,
        y_range: tuple[float, float] | None = None,
        **options: Unpack[TrainingKeywords],
    ) -> None:
        own = {
            "embedding_dim": embedding_dim,
            "num_layers": at_least("num_layers", num_layers, 1),
            "dropout_p": dropout_p,
            "y_range": y_range,
        }
        super().__init__(train, val, TrainingOptions.of(type(self), options), **own)

    def _setup_model(self, **kwargs: Any) -> None:  # noqa: ARG002 - the template's
        size = self.hparams["embedding_dim"]
        self.user_embeddings = ScaledEmbedding(self.num_users, size)
        self.item_embeddings = ScaledEmbedding(self.num_items, size)
        self.user_biases = ZeroEmbedding(self.num_users, 1)
        self.item_biases = ZeroEmbedding(self.num_items, 1)
        self.mlp = perceptron(size, self.hparams["num_layers"], self.hparams["dropout_p"])

    def user_side(self, users: Tensor) -> Side:
        """Return factors (..., D) and bias (..., 1) of `users` (...)."""
        return self.user_embeddings(users), self.user_biases(users)

    def item_side(self, items: Tensor) -> Side:
        """Return factors (..., D) and bias (..., 1) of `items` (...)."""
        return self.item_embeddings(items), self.item_biases(items)

    def match(self, user: Side, item: Side) -> Tensor:
        """Score users' sides against items': (...)."""
        (user_vectors, user_biases), (item_vectors, item_biases) = user, item
        matched = torch.sigmoid(self.mlp(user_vectors, item_vectors))
        scores = (matched + user_biases + item_biases).squeeze(-1)
        return in_range(scores, self.hparams["y_range"])


def perceptron(size: int, num_layers: int, dropout_p: float) -> Tower:
    """Return a tower over two vectors of `size` that narrows evenly to a single output."""
    hidden = [2 * size * (num_layers - n) // (num_layers + 1) for n in range(num_layers)]
    if hidden[-1] < 1:
        raise ValueError(
            f"embedding_dim is {size}, too small for {num_layers} layers: use at least "
            f"{-(-(num_layers + 1) // 2)}, or fewer layers"
        )
    return Tower([size, size], [*hidden, 1], torch.relu, dropout_p, is_last_activated=False)
