"""A hybrid model that trains its own factors first."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Unpack

from torch import Tensor

from collie_core.model.blocks import ScaledEmbedding, ZeroEmbedding, biased_dot
from collie_core.model.dropout import Dropout
from collie_core.model.hybrid_base import Hybrid, hybrid_hyperparameters
from collie_core.model.loading import AnyInteractions
from collie_core.model.metadata import Features
from collie_core.model.multi_stage import MultiStagePipeline
from collie_core.model.options import SCHEDULED, OptimizerChoice, SharedKeywords, SharedOptions
from collie_core.model.scoring import Side

MATRIX_FACTORIZATION, METADATA_ONLY, ALL = "matrix_factorization", "metadata_only", "all"
EMBEDDINGS, BIASES = ["user_embeddings", "item_embeddings"], ["user_biases", "item_biases"]
LAYERS = ["user_features", "item_features", "combined"]


class HybridModel(Hybrid, MultiStagePipeline):
    """Matrix factorization first, then dense layers over its factors and metadata.

    Stage "matrix_factorization" trains factors and biases as `MatrixFactorizationModel` does, stage
    "metadata_only" the layers and biases over factors that stay, and stage "all" everything.

    Parameters
    ----------
    train, val : see `BasePipeline`.
    item_metadata, metadata_layers_dims, combined_layers_dims, dropout_p, user_metadata,
    item_metadata_layers_dims, user_metadata_layers_dims : see `Hybrid`.
    embedding_dim : D, length of the factors.
    lr, optimizer, bias_lr, bias_optimizer : of the first stage; see `TrainingOptions`.
    metadata_only_stage_lr, metadata_only_stage_optimizer : of the second.
    all_stage_lr, all_stage_optimizer : of the third.
    **options : see `SharedOptions`.

    Raises
    ------
    ValueError
        If metadata is refused; and see `BasePipeline`.
    """

    option_defaults: ClassVar[Mapping[str, Any]] = SCHEDULED

    def __init__(
        self,
        train: AnyInteractions = None,
        val: AnyInteractions = None,
        item_metadata: Features | None = None,
        embedding_dim: int = 30,
        metadata_layers_dims: Sequence[int] | None = None,
        combined_layers_dims: Sequence[int] = (128, 64, 32),
        dropout_p: float = 0.0,
        lr: float = 1e-3,
        bias_lr: float | str = 1e-2,
        metadata_only_stage_lr: float = 1e-3,
        all_stage_lr: float = 1e-4,
        *,
        optimizer: OptimizerChoice = "adam",
        bias_optimizer: OptimizerChoice | None = "sgd",
        metadata_only_stage_optimizer: OptimizerChoice = "adam",
        all_stage_optimizer: OptimizerChoice = "adam",
        user_metadata: Features | None = None,
        item_metadata_layers_dims: Sequence[int] | None = None,
        user_metadata_layers_dims: Sequence[int] | None = None,
        **options: Unpack[SharedKeywords],
    ) -> None:
        own = hybrid_hyperparameters(
            item_metadata,
            user_metadata,
            metadata_layers_dims,
            item_metadata_layers_dims,
            user_metadata_layers_dims,
            is_loaded=options.get("load_model_path") is not None,
        ) | {
            "embedding_dim": embedding_dim,
            "combined_layers_dims": list(combined_layers_dims),
            "dropout_p": dropout_p,
        }
        stages = [
            *first_stage(lr, optimizer, bias_lr, bias_optimizer),
            stage(
                METADATA_ONLY,
                metadata_only_stage_lr,
                metadata_only_stage_optimizer,
                [*LAYERS, *BIASES],
            ),
            stage(ALL, all_stage_lr, all_stage_optimizer, [*EMBEDDINGS, *LAYERS, *BIASES]),
        ]
        shared = SharedOptions.of(type(self), options)
        super().__init__(train, val, shared, optimizer_config_list=stages, **own)

    def _setup_model(self, **kwargs: Any) -> None:
        size = self.hparams["embedding_dim"]
        self.user_embeddings = ScaledEmbedding(self.num_users, size)
        self.item_embeddings = ScaledEmbedding(self.num_items, size)
        self.user_biases = ZeroEmbedding(self.num_users, 1)
        self.item_biases = ZeroEmbedding(self.num_items, 1)
        self.dropout = Dropout(self.hparams["dropout_p"])
        self._setup_metadata([size, size], kwargs)

    @property
    def _is_factorization(self) -> bool:
        return bool(self.hparams["stage"] == MATRIX_FACTORIZATION)

    def user_side(self, users: Tensor) -> Side:
        """Return vector (..., D or D + F) and bias (..., 1) of `users` (...)."""
        vectors = self.user_embeddings(users)
        if self._is_factorization:
            return self.dropout(vectors), self.user_biases(users)
        return self._side("user", users, vectors, self.user_biases)

    def item_side(self, items: Tensor) -> Side:
        """Return vector (..., D or D + F) and bias (..., 1) of `items` (...)."""
        vectors = self.item_embeddings(items)
        if self._is_factorization:
            return self.dropout(vectors), self.item_biases(items)
        return self._side("item", items, vectors, self.item_biases)

    def match(self, user: Side, item: Side) -> Tensor:
        """Score users' sides against items': (...)."""
        return biased_dot(user, item) if self._is_factorization else super().match(user, item)

    def _get_item_embeddings(self) -> Tensor:
        return self.item_embeddings.weight

    def _get_user_embeddings(self) -> Tensor:
        return self.user_embeddings.weight


def stage(name: str, lr: float, optimizer: OptimizerChoice, prefixes: list[str]) -> dict[str, Any]:
    """Return a row of `optimizer_config_list`."""
    return {"stage": name, "lr": lr, "optimizer": optimizer, "parameter_prefix_list": prefixes}


def first_stage(
    lr: float,
    optimizer: OptimizerChoice,
    bias_lr: float | str,
    bias_optimizer: OptimizerChoice | None,
) -> list[dict[str, Any]]:
    """Return the rows of the first stage: one, or two where biases have their own optimizer."""
    if bias_optimizer is None:
        return [stage(MATRIX_FACTORIZATION, lr, optimizer, [*EMBEDDINGS, *BIASES])]
    own_optimizer = optimizer if bias_optimizer == "infer" else bias_optimizer
    own_lr = lr if bias_lr == "infer" else float(bias_lr)
    return [
        stage(MATRIX_FACTORIZATION, lr, optimizer, EMBEDDINGS),
        stage(MATRIX_FACTORIZATION, own_lr, own_optimizer, BIASES),
    ]
