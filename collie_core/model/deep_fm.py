"""A factorization machine and a perceptron over the same embeddings."""

from collections.abc import Mapping
from typing import Any, ClassVar, Unpack

import torch
from torch import Tensor, nn

from collie_core.interactions.ids import at_least
from collie_core.model.base import BasePipeline
from collie_core.model.blocks import ScaledEmbedding, ZeroEmbedding, biased_dot
from collie_core.model.final_layer import FinalLayer, final_activation, start_small
from collie_core.model.loading import AnyInteractions
from collie_core.model.mlp_matrix_factorization import perceptron
from collie_core.model.options import BIASED, TrainingKeywords, TrainingOptions
from collie_core.model.scoring import Side, TwoSided


class DeepFM(TwoSided, BasePipeline):
    """A factorization machine plus a perceptron (Guo et al., IJCAI 2017).

    With one feature for the user and one for the item, the machine is the dot product of both
    embeddings, ½ [(u + i)² - u² - i²] summed, plus both biases. The reference takes (u + i) less
    (u² + i²) for it, and leaves its biases out.

    Parameters
    ----------
    train, val : see `BasePipeline`.
    embedding_dim : D, length of the embeddings.
    num_layers : layers of the perceptron; see `MLPMatrixFactorizationModel` for their sizes.
    final_layer : "sigmoid", "relu", "leaky_relu", a function of scores (...), or None.
    dropout_p : probability of dropping an output of a layer while training.
    **options : see `TrainingOptions`.

    Raises
    ------
    ValueError
        If there is no such final layer; and see `BasePipeline`.
    """

    option_defaults: ClassVar[Mapping[str, Any]] = BIASED

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
        self.user_embeddings = ScaledEmbedding(self.num_users, size)
        self.item_embeddings = ScaledEmbedding(self.num_items, size)
        self.user_biases = ZeroEmbedding(self.num_users, 1)
        self.item_biases = ZeroEmbedding(self.num_items, 1)
        self.global_bias = nn.Parameter(torch.zeros(1))
        self.mlp = start_small(perceptron(size, layers, self.hparams["dropout_p"]))
        nn.init.kaiming_uniform_(self.mlp.layers()[-1].weight, nonlinearity="relu")

    def user_side(self, users: Tensor) -> Side:
        """Return embedding (..., D) and bias (..., 1) of `users` (...)."""
        return self.user_embeddings(users), self.user_biases(users)

    def item_side(self, items: Tensor) -> Side:
        """Return embedding (..., D) and bias (..., 1) of `items` (...)."""
        return self.item_embeddings(items), self.item_biases(items)

    def match(self, user: Side, item: Side) -> Tensor:
        """Score users' sides against items': (...)."""
        deep = self.mlp(user[0], item[0]).squeeze(-1)
        return self.final_layer(biased_dot(user, item) + deep + self.global_bias)
