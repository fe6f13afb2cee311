"""Models, the templates for your own, and their trainers."""

from collections.abc import Mapping

from collie_core.model.base import BasePipeline
from collie_core.model.blocks import ScaledEmbedding, ZeroEmbedding
from collie_core.model.cold_start import ColdStartModel
from collie_core.model.matrix_factorization import MatrixFactorizationModel
from collie_core.model.minimal_trainer import CollieMinimalTrainer
from collie_core.model.multi_stage import MultiStagePipeline
from collie_core.model.trainer import CollieTrainer

ARCHITECTURES: Mapping[str, type[BasePipeline]] = {
    "matrix_factorization": MatrixFactorizationModel,
    "cold_start": ColdStartModel,
}

__all__ = [
    "ARCHITECTURES",
    "BasePipeline",
    "ColdStartModel",
    "CollieMinimalTrainer",
    "CollieTrainer",
    "MatrixFactorizationModel",
    "MultiStagePipeline",
    "ScaledEmbedding",
    "ZeroEmbedding",
]
