"""The table `[models]` of `collie.toml`: which models are trained, and how each."""

from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator
from pydantic_settings import NoDecode

from collie_pipeline.sections import Count, Positive, Section, Share, split_at_commas
from collie_pipeline.training_settings import Decay, ImplicitLoss, Loss, Training

if TYPE_CHECKING:
    from collie_pipeline.settings import Settings

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
OF_ONE_STAGE = (  # neural models that start from no other, so may begin where earlier ones ended
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
    warm_start: bool = False  # models of one stage begin where those of an earlier week ended
    warm_shrink: Annotated[float, Field(ge=0, le=1)] = 0.25  # of their rows; the rest is fresh
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
