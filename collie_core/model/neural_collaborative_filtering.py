"""Matrix factorization and a perceptron side by side."""

from collections.abc import Mapping
from typing import Any, ClassVar, Unpack

import torch
from torch import Tensor, nn

from collie_core.interactions.ids import at_least
from collie_core.model.base import BasePipeline
from collie_core.model.blocks import ScaledEmbedding, Tower, dot
from collie_core.model.dropout import Dropout
from collie_core.model.final_layer import FinalLayer, final_activation, start_small
from collie_core.model.loading import AnyInteractions
from collie_core.model.options import SCHEDULED, TrainingKeywords, TrainingOptions
from collie_core.model.scoring import Side, TwoSided


class NeuralCollaborativeFiltering(TwoSided, BasePipeline):
    """A linear layer over the products of two factors and a perceptron's outputs over two others.

    The perceptron has embeddings of its own, of D · 2^(L - 1), and each of its L layers half the
    outputs of the one before, down to D (He et al., WWW 2017).

    Parameters
    ----------
    train, val : see `BasePipeline`.
    embedding_dim : D, length of the factors that are multiplied.
    num_layers : L, layers of the perceptron.
    final_layer : "sigmoid", "relu", "leaky_relu", a function of scores (...), or None.
    dropout_p : probability of dropping an input of a layer while training.
    **options : see `TrainingOptions`.

    Raises
    ------
    ValueError
        If there is no such final layer; and see `BasePipeline`.
    """

    option_defaults: ClassVar[Mapping[str, Any]] = SCHEDULED

    def __init__(
        self,
        train: AnyInteractions = None,
        val: AnyInteractions = None,
        embedding_dim: int = 8,
        num_layers: int = 3,
        final_layer: FinalLayer = None,
        dropout_p: float = 0.0,
        **options: Unpack[TrainingKeywords],
    ) -> None:
        own = {
            "embedding_dim": embedding_dim,
            "num_layers": at_least("num_layers", num_layers, 1),
            "final_layer": final_layer,
            "dropout_p": dropout_p,
        }
        super().__init__(train, val, TrainingOptions.of(type(self), options), **own)

    def _setup_model(self, **kwargs: Any) -> None:  # noqa: ARG002 - the template's
        size, layers = self.hparams["embedding_dim"], self.hparams["num_layers"]
        self.final_layer = final_activation(self.hparams["final_layer"])
        widths = [size * 2 ** (layers - 1 - n) for n in range(layers)]
        self.user_embeddings_cf = ScaledEmbedding(self.num_users, size)
        self.item_embeddings_cf = ScaledEmbedding(self.num_items, size)
        self.user_embeddings_mlp = ScaledEmbedding(self.num_users, widths[0])
        self.item_embeddings_mlp = ScaledEmbedding(self.num_items, widths[0])
        self.dropout = Dropout(self.hparams["dropout_p"])
        parts = [widths[0], widths[0]]
        self.mlp = start_small(Tower(parts, widths, torch.relu, self.hparams["dropout_p"]))
        self.predict = nn.Linear(2 * size, 1)
        nn.init.kaiming_uniform_(self.predict.weight, nonlinearity="relu")
        nn.init.zeros_(self.predict.bias)

    def user_side(self, users: Tensor) -> Side:
        """Return both embeddings of `users` (...): (..., D) and (..., D · 2^(L - 1))."""
        return self.user_embeddings_cf(users), self.dropout(self.user_embeddings_mlp(users))

    def item_side(self, items: Tensor) -> Side:
        """Return both embeddings of `items` (...): (..., D) and (..., D · 2^(L - 1))."""
        return self.item_embeddings_cf(items), self.dropout(self.item_embeddings_mlp(items))

    def match(self, user: Side, item: Side) -> Tensor:
        """Score users' sides against items': (...)."""
        of_products, of_hidden = self.predict.weight.chunk(2, dim=1)
        products = dot(user[0] * of_products[0], item[0])  # of the layer over them, in one go
        hidden = nn.functional.linear(self.mlp(user[1], item[1]), of_hidden, self.predict.bias)
        return self.final_layer(products + hidden.squeeze(-1))

    def _get_item_embeddings(self) -> Tensor:
        return torch.cat([self.item_embeddings_cf.weight, self.item_embeddings_mlp.weight], dim=1)

    def _get_user_embeddings(self) -> Tensor:
        return torch.cat([self.user_embeddings_cf.weight, self.user_embeddings_mlp.weight], dim=1)
