"""The table `[models]` of `collie.toml`: which models are trained, and how each."""

from functools import partial
from inspect import signature
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self, get_args

from pydantic import Field, field_validator, model_validator
from pydantic_settings import NoDecode

from collie_pipeline.sections import Count, Positive, Section, Share, split_at_commas

if TYPE_CHECKING:
    from torch.optim.lr_scheduler import ExponentialLR

    from collie_pipeline.settings import Settings

AllItemsLoss = Literal["full_softmax"]  # which draws no negative items
ImplicitLoss = Literal[
    "bpr",
    "adaptive_bpr",
    "hinge",
    "adaptive_hinge",
    "adaptive",
    "softmax",
    "warp",
    AllItemsLoss,
]
ExplicitLoss = Literal["mse", "mae"]  # which learn ratings, and need them
Loss = Literal[ImplicitLoss, ExplicitLoss]
FinalLayer = Literal["sigmoid", "relu", "leaky_relu"]
ModelName = Literal[
    "popularity",
    "item_knn",
    "ease",
    "matrix_factorization",
    "mlp_matrix_factorization",
    "nonlinear_matrix_factorization",
    "collaborative_metric_learning",
    "neural_collaborative_filtering",
    "deep_fm",
    "hybrid_pretrained",
    "cold_start",
    "hybrid",
]
Sizes = tuple[Count, ...]
Decay = Annotated[float, Field(gt=0, le=1)]
OF_ONE_STAGE = (  # neural models that start from no other, and so may begin where last week's ended
    "matrix_factorization",
    "mlp_matrix_factorization",
    "nonlinear_matrix_factorization",
    "collaborative_metric_learning",
    "neural_collaborative_filtering",
    "deep_fm",
)


class ItemKNNSettings(Section):
    """See `collie_core.baselines.ItemKNN`."""

    neighbours: Count = 400
    shrinkage: Annotated[float, Field(ge=0)] = 0.0


class EASESettings(Section):
    """See `collie_core.baselines.EASE`."""

    regularization: Positive = 300.0


class Training(Section):
    """What all neural models share; see `collie_core.model.options.TrainingOptions`.

    `epochs` are the most there can be; training stops `patience` epochs after the best. After each,
    the learning rate is multiplied by `lr_decay`: a high one that falls is sooner at the same
    place, and at a better one. With `partial_credit`, a negative item of the positive one's bucket
    is less of a mistake by that share. The losses `mse` and `mae` learn ratings, low ones too, and
    draw no negatives.
    `full_softmax` scores all items for `batch_users` users at a time, with all that they have, in
    place of `batch_size` interactions: best where there are no more than some 10,000 items.
    """

    batch_size: Count = 1024
    batch_users: Count = 128
    num_negative_samples: Count = 10
    loss: Loss = "warp"
    partial_credit: Share = 0.0
    weight_decay: Annotated[float, Field(ge=0)] = 0.0
    lr_decay: Decay = 1.0
    epochs: Count = 50
    patience: Count = 15

    @property
    def is_explicit(self) -> bool:
        """Whether the loss is for ratings."""
        return self.loss in get_args(ExplicitLoss)

    @property
    def is_of_all_items(self) -> bool:
        """Whether the loss is over the scores of all items."""
        return self.loss in get_args(AllItemsLoss)

    @property
    def loading(self) -> dict[str, Any]:
        """How batches are made: arguments of `InteractionsDataLoader`."""
        if self.is_of_all_items:
            return {"batch_size": self.batch_users, "by_user": True}
        return {"batch_size": self.batch_size}

    @property
    def negatives(self) -> int:
        """How many negative items are drawn for each positive one, where there are any."""
        return 0 if self.is_of_all_items else self.num_negative_samples

    @model_validator(mode="after")
    def _credits_negatives_only(self) -> Self:
        if self.partial_credit and (self.is_explicit or self.is_of_all_items):
            raise ValueError(
                f"partial_credit is {self.partial_credit}, but loss {self.loss!r} draws no "
                "negative items: leave it out, or set loss to 'warp'"
            )
        return self

    def arguments_of(self, architecture: type) -> dict[str, Any]:
        """Return those that the constructor of `architecture` takes, for one optimizer of all."""
        known = signature(architecture).parameters
        chosen = {name: value for name, value in self.model_dump().items() if name in known}
        chosen["lr_scheduler_func"] = self._schedule
        return chosen | ({"bias_optimizer": None} if "bias_optimizer" in known else {})

    @property
    def _schedule(self) -> "partial[ExponentialLR] | None":
        if self.lr_decay == 1:
            return None
        from torch.optim.lr_scheduler import ExponentialLR  # takes a second to load

        return partial(ExponentialLR, gamma=self.lr_decay)


class Factors(Training):
    """What models with one size of embeddings share."""

    embedding_dim: Count = 32
    dropout_p: Share = 0.3


class MatrixFactorizationSettings(Factors):
    """See `collie_core.model.MatrixFactorizationModel`.

    Found on splits of MovieLens 100K. On five others, which had no say, it reaches 1.017 times the
    MAP@10 of EASE, and 1.008 times its nDCG@10; `benchmarks/quality.py` repeats such runs.
    """

    lr: Positive = 1.5e-2
    lr_decay: Decay = 0.97
    loss: Loss = "full_softmax"
    embedding_dim: Count = 128
    dropout_p: Share = 0.5
    l2: Annotated[float, Field(ge=0)] = 0.07
    epochs: Count = 150
    patience: Count = 25


class MLPMatrixFactorizationSettings(Factors):
    """See `collie_core.model.MLPMatrixFactorizationModel`.

    Its scores are bounded: MAP@10 on the demo's newest week .031, with the losses and rates of the
    others .018 to .025.
    """

    lr: Positive = 1e-2
    loss: Loss = "adaptive_hinge"
    num_layers: Count = 1
    dropout_p: Share = 0.0


class NonlinearMatrixFactorizationSettings(Training):
    """See `collie_core.model.NonlinearMatrixFactorizationModel`."""

    lr: Positive = 3e-3
    user_embedding_dim: Count = 32
    item_embedding_dim: Count = 32
    user_dense_layers_dims: Sizes = (32,)
    item_dense_layers_dims: Sizes = (32,)
    embedding_dropout_p: Share = 0.3
    dense_dropout_p: Share = 0.0


class CollaborativeMetricLearningSettings(Training):
    """See `collie_core.model.CollaborativeMetricLearningModel`, whose scores are no ratings."""

    lr: Positive = 3e-3
    loss: ImplicitLoss = "warp"
    embedding_dim: Count = 32


class NeuralCollaborativeFilteringSettings(Factors):
    """See `collie_core.model.NeuralCollaborativeFiltering`."""

    lr: Positive = 3e-3
    embedding_dim: Count = 16
    num_layers: Count = 2
    dropout_p: Share = 0.1
    final_layer: FinalLayer | None = None


class DeepFMSettings(Factors):
    """See `collie_core.model.DeepFM`."""

    lr: Positive = 3e-3
    embedding_dim: Count = 16
    num_layers: Count = 2
    dropout_p: Share = 0.1
    final_layer: FinalLayer | None = None


class HybridPretrainedSettings(Training):
    """See `collie_core.model.HybridPretrainedModel`."""

    lr: Positive = 1e-3
    metadata_layers_dims: Sizes | None = (16,)
    combined_layers_dims: Sizes = (64, 32)
    freeze_embeddings: bool = False
    dropout_p: Share = 0.1
    patience: Count = 5


class ColdStartSettings(Factors):
    """See `collie_core.model.ColdStartModel`; `epochs` and `patience` are those of each stage."""

    item_buckets_stage_lr: Positive = 1e-2
    no_buckets_stage_lr: Positive = 3e-3
    patience: Count = 3


class HybridSettings(Factors):
    """See `collie_core.model.HybridModel`; `epochs` and `patience` are those of each stage."""

    lr: Positive = 3e-3
    metadata_only_stage_lr: Positive = 1e-3
    all_stage_lr: Positive = 3e-4
    metadata_layers_dims: Sizes | None = (16,)
    combined_layers_dims: Sizes = (64, 32)
    patience: Count = 5


class Models(Section):
    """Which models are trained, and how each."""

    names: Annotated[tuple[ModelName, ...], NoDecode, Field(min_length=1)] = (
        "popularity",
        "item_knn",
        "ease",
        "matrix_factorization",
        "cold_start",
    )
    warm_start: bool = False  # models of one stage begin where last week's ended
    item_knn: ItemKNNSettings = ItemKNNSettings()
    ease: EASESettings = EASESettings()
    matrix_factorization: MatrixFactorizationSettings = MatrixFactorizationSettings()
    mlp_matrix_factorization: MLPMatrixFactorizationSettings = MLPMatrixFactorizationSettings()
    nonlinear_matrix_factorization: NonlinearMatrixFactorizationSettings = (
        NonlinearMatrixFactorizationSettings()
    )
    collaborative_metric_learning: CollaborativeMetricLearningSettings = (
        CollaborativeMetricLearningSettings()
    )
    neural_collaborative_filtering: NeuralCollaborativeFilteringSettings = (
        NeuralCollaborativeFilteringSettings()
    )
    deep_fm: DeepFMSettings = DeepFMSettings()
    hybrid_pretrained: HybridPretrainedSettings = HybridPretrainedSettings()
    cold_start: ColdStartSettings = ColdStartSettings()
    hybrid: HybridSettings = HybridSettings()

    @field_validator("names", mode="before")
    @classmethod
    def _from_commas(cls, names: object) -> object:
        return split_at_commas(names)

    @model_validator(mode="after")
    def _has_what_others_start_from(self) -> Self:
        if "hybrid_pretrained" in self.names and "matrix_factorization" not in self.names:
            raise ValueError(
                "names has hybrid_pretrained, which starts from matrix_factorization: add that too"
            )
        return self


def is_explicit(settings: "Settings", model: str) -> bool:
    """Return whether the model of that name learns from ratings."""
    own = getattr(settings.models, model, None)
    return isinstance(own, Training) and own.is_explicit


def explicit_models(settings: "Settings") -> list[str]:
    """Return the models that the settings name and that learn from ratings."""
    return [name for name in settings.models.names if is_explicit(settings, name)]
