"""A hybrid model over the factors of one that is trained already."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self, Unpack, cast

import torch
from torch import Tensor, nn

from collie_core.model.blocks import ScaledEmbedding, ZeroEmbedding, restored
from collie_core.model.hybrid_base import Hybrid, hybrid_hyperparameters
from collie_core.model.loading import AnyInteractions
from collie_core.model.matrix_factorization import MatrixFactorizationModel
from collie_core.model.metadata import Features
from collie_core.model.options import SCHEDULED, TrainingKeywords, TrainingOptions
from collie_core.model.scoring import Side


class HybridPretrainedModel(Hybrid):
    """Dense layers over metadata and the factors of a trained matrix factorization.

    Factors and biases are copied, and the model they come from is left as it is.

    Parameters
    ----------
    train, val : see `BasePipeline`.
    item_metadata, metadata_layers_dims, combined_layers_dims, dropout_p, user_metadata,
    item_metadata_layers_dims, user_metadata_layers_dims : see `Hybrid`.
    trained_model : the model to take factors and biases from.
    freeze_embeddings : whether the factors, not the biases, stay as they are while training.
    **options : see `TrainingOptions`.

    Raises
    ------
    ValueError
        If `trained_model` is no matrix factorization or knows other users and items, or metadata is
        refused; and see `BasePipeline`.
    """

    option_defaults: ClassVar[Mapping[str, Any]] = SCHEDULED

    def __init__(
        self,
        train: AnyInteractions = None,
        val: AnyInteractions = None,
        item_metadata: Features | None = None,
        trained_model: MatrixFactorizationModel | None = None,
        metadata_layers_dims: Sequence[int] | None = None,
        combined_layers_dims: Sequence[int] = (128, 64, 32),
        freeze_embeddings: bool = True,
        dropout_p: float = 0.0,
        *,
        user_metadata: Features | None = None,
        item_metadata_layers_dims: Sequence[int] | None = None,
        user_metadata_layers_dims: Sequence[int] | None = None,
        **options: Unpack[TrainingKeywords],
    ) -> None:
        is_loaded = options.get("load_model_path") is not None
        if not is_loaded and not isinstance(trained_model, MatrixFactorizationModel):
            raise ValueError(
                f"trained_model is {type(trained_model).__name__}, must be a "
                "MatrixFactorizationModel: train one first"
            )
        own = hybrid_hyperparameters(
            item_metadata,
            user_metadata,
            metadata_layers_dims,
            item_metadata_layers_dims,
            user_metadata_layers_dims,
            is_loaded=is_loaded,
        ) | {
            "combined_layers_dims": list(combined_layers_dims),
            "freeze_embeddings": freeze_embeddings,
            "dropout_p": dropout_p,
            "trained_model": trained_model,
        }
        if trained_model is not None:
            own["embedding_dim"] = trained_model.hparams["embedding_dim"]
        super().__init__(train, val, TrainingOptions.of(type(self), options), **own)

    def _setup_model(self, **kwargs: Any) -> None:
        size, users, items = self.hparams["embedding_dim"], self.num_users, self.num_items
        trained = kwargs.get("trained_model")
        with restored():
            self.embeddings = nn.Sequential(
                ScaledEmbedding(users, size), ScaledEmbedding(items, size)
            )
            self.biases = nn.Sequential(ZeroEmbedding(users, 1), ZeroEmbedding(items, 1))
        if trained is not None:
            self._copy(trained)
        self._set_gradients(not self.hparams["freeze_embeddings"])
        self._setup_metadata([size, size], kwargs)

    @torch.no_grad()
    def _copy(self, trained: MatrixFactorizationModel) -> None:
        shape, theirs = (self.num_users, self.num_items), (trained.num_users, trained.num_items)
        if theirs != shape:
            raise ValueError(
                f"trained_model has {theirs} users and items, train {shape}: train both on the "
                "same split"
            )
        sources = (trained.user_embeddings, trained.item_embeddings)
        biases = (trained.user_biases, trained.item_biases)
        for copy, source in zip((*self.embeddings, *self.biases), (*sources, *biases), strict=True):
            copy.weight.copy_(source.weight)

    def _set_gradients(self, wanted: bool) -> None:
        for embedding in self.embeddings:
            embedding.weight.requires_grad_(wanted)

    def freeze_embeddings(self) -> None:
        """Keep the factors as they are while training."""
        self._set_gradients(False)

    def unfreeze_embeddings(self) -> None:
        """Train the factors too."""
        self._set_gradients(True)

    def load_from_hybrid_model(self, hybrid_model: Self) -> None:
        """Take the architecture, the weights and the metadata of `hybrid_model`, and its epochs.

        Training options stay this model's, so that one can go on with another learning rate.

        Raises
        ------
        ValueError
            If it knows other users and items.
        """
        theirs = hybrid_model.config()
        for count in ("num_users", "num_items"):
            if theirs[count] != self.hparams[count]:
                raise ValueError(
                    f"hybrid_model has {count} {theirs[count]}, this {self.hparams[count]}: train "
                    "both on one split"
                )
        self.hparams.update(theirs)
        self._setup_model()
        self.load_state_dict(hybrid_model.state_dict())
        self.eval()

    def user_side(self, users: Tensor) -> Side:
        """Return factors and metadata (..., D + F) and bias (..., 1) of `users` (...)."""
        return self._side("user", users, self.embeddings[0](users), self.biases[0])

    def item_side(self, items: Tensor) -> Side:
        """Return factors and metadata (..., D + F) and bias (..., 1) of `items` (...)."""
        return self._side("item", items, self.embeddings[1](items), self.biases[1])

    def _get_item_embeddings(self) -> Tensor:
        return cast("ScaledEmbedding", self.embeddings[1]).weight

    def _get_user_embeddings(self) -> Tensor:
        return cast("ScaledEmbedding", self.embeddings[0]).weight
