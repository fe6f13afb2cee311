"""Models, the templates for your own, and their trainers."""

from collections.abc import Mapping

from collie_core.model.base import BasePipeline
from collie_core.model.blocks import ScaledEmbedding, ZeroEmbedding
from collie_core.model.cold_start import ColdStartModel
from collie_core.model.collaborative_metric_learning import CollaborativeMetricLearningModel
from collie_core.model.deep_fm import DeepFM
from collie_core.model.hybrid import HybridModel
from collie_core.model.hybrid_pretrained import HybridPretrainedModel
from collie_core.model.matrix_factorization import MatrixFactorizationModel
from collie_core.model.minimal_trainer import CollieMinimalTrainer
from collie_core.model.mlp_matrix_factorization import MLPMatrixFactorizationModel
from collie_core.model.multi_stage import MultiStagePipeline
from collie_core.model.neural_collaborative_filtering import NeuralCollaborativeFiltering
from collie_core.model.nonlinear_matrix_factorization import NonlinearMatrixFactorizationModel
from collie_core.model.trainer import CollieTrainer

ARCHITECTURES: Mapping[str, type[BasePipeline]] = {
    "cold_start": ColdStartModel,
    "collaborative_metric_learning": CollaborativeMetricLearningModel,
    "deep_fm": DeepFM,
    "hybrid": HybridModel,
    "hybrid_pretrained": HybridPretrainedModel,
    "matrix_factorization": MatrixFactorizationModel,
    "mlp_matrix_factorization": MLPMatrixFactorizationModel,
    "neural_collaborative_filtering": NeuralCollaborativeFiltering,
    "nonlinear_matrix_factorization": NonlinearMatrixFactorizationModel,
}

__all__ = [
    "ARCHITECTURES",
    "BasePipeline",
    "ColdStartModel",
    "CollaborativeMetricLearningModel",
    "CollieMinimalTrainer",
    "CollieTrainer",
    "DeepFM",
    "HybridModel",
    "HybridPretrainedModel",
    "MLPMatrixFactorizationModel",
    "MatrixFactorizationModel",
    "MultiStagePipeline",
    "NeuralCollaborativeFiltering",
    "NonlinearMatrixFactorizationModel",
    "ScaledEmbedding",
    "ZeroEmbedding",
]
