"""Matrix factorization of embeddings that went through dense layers."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Unpack

from torch import Tensor, nn
from torch.nn.functional import leaky_relu

from collie_core.model.base import BasePipeline
from collie_core.model.blocks import (
    ScaledEmbedding,
    Tower,
    ZeroEmbedding,
    biased_dot,
    in_range,
)
from collie_core.model.dropout import Dropout
from collie_core.model.loading import AnyInteractions
from collie_core.model.options import BIASED, TrainingKeywords, TrainingOptions
from collie_core.model.scoring import Side, TwoSided


class NonlinearMatrixFactorizationModel(TwoSided, BasePipeline):
    """Dot product of a user's and an item's vector, each from dense layers, plus both biases.

    Parameters
    ----------
    train, val : see `BasePipeline`.
    user_embedding_dim, item_embedding_dim : lengths of the embeddings.
    user_dense_layers_dims, item_dense_layers_dims : outputs of the layers over each, with leaky
        ReLU after each; both have to end alike, in D.
    embedding_dropout_p : probability of dropping an entry of the vectors that meet.
    dense_dropout_p : probability of dropping an output between two layers.
    y_range : (minimum, maximum) of the scores, through a sigmoid.
    **options : see `TrainingOptions`.

    Raises
    ------
    ValueError
        If the last layers differ in their outputs; and see `BasePipeline`.
    """

    option_defaults: ClassVar[Mapping[str, Any]] = BIASED
    pairs_at_once = 1 << 26

    def __init__(
        self,
        train: AnyInteractions = None,
        val: AnyInteractions = None,
        user_embedding_dim: int = 60,
        item_embedding_dim: int = 60,
        user_dense_layers_dims: Sequence[int] = (48, 32),
        item_dense_layers_dims: Sequence[int] = (48, 32),
        embedding_dropout_p: float = 0.0,
        dense_dropout_p: float = 0.0,
        y_range: tuple[float, float] | None = None,
        **options: Unpack[TrainingKeywords],
    ) -> None:
        own = {
            "user_embedding_dim": user_embedding_dim,
            "item_embedding_dim": item_embedding_dim,
            "user_dense_layers_dims": list(user_dense_layers_dims),
            "item_dense_layers_dims": list(item_dense_layers_dims),
            "embedding_dropout_p": embedding_dropout_p,
            "dense_dropout_p": dense_dropout_p,
            "y_range": y_range,
        }
        super().__init__(train, val, TrainingOptions.of(type(self), options), **own)

    def _setup_model(self, **kwargs: Any) -> None:  # noqa: ARG002 - the template's
        user_dims, item_dims = self._dims("user"), self._dims("item")
        if user_dims[-1] != item_dims[-1]:
            raise ValueError(
                f"users' vectors end with {user_dims[-1]} entries, items' with {item_dims[-1]}: "
                "end user_dense_layers_dims and item_dense_layers_dims alike"
            )
        self.user_embeddings = ScaledEmbedding(self.num_users, user_dims[0])
        self.item_embeddings = ScaledEmbedding(self.num_items, item_dims[0])
        self.user_biases = ZeroEmbedding(self.num_users, 1)
        self.item_biases = ZeroEmbedding(self.num_items, 1)
        self.user_dense = dense(user_dims, self.hparams["dense_dropout_p"])
        self.item_dense = dense(item_dims, self.hparams["dense_dropout_p"])
        self.dropout = Dropout(self.hparams["embedding_dropout_p"])

    def _dims(self, side: str) -> list[int]:
        return [self.hparams[f"{side}_embedding_dim"], *self.hparams[f"{side}_dense_layers_dims"]]

    def user_side(self, users: Tensor) -> Side:
        """Return vector (..., D) and bias (..., 1) of `users` (...)."""
        vectors = self.user_dense(self.user_embeddings(users))
        return self.dropout(vectors), self.user_biases(users)

    def item_side(self, items: Tensor) -> Side:
        """Return vector (..., D) and bias (..., 1) of `items` (...)."""
        vectors = self.item_dense(self.item_embeddings(items))
        return self.dropout(vectors), self.item_biases(items)

    def match(self, user: Side, item: Side) -> Tensor:
        """Score users' sides against items': (...)."""
        return in_range(biased_dot(user, item), self.hparams["y_range"])


def dense(dims: Sequence[int], dropout_p: float) -> nn.Module:
    """Return layers from `dims[0]` to `dims[-1]`, none for a single number."""
    if len(dims) == 1:
        return nn.Identity()
    return xavier(Tower(dims[:1], dims[1:], leaky_relu, dropout_p))


def xavier(tower: Tower) -> Tower:
    """Return `tower` with weights drawn anew (Glorot and Bengio, AISTATS 2010)."""
    for layer in tower.layers():
        nn.init.xavier_normal_(layer.weight)
    return tower
