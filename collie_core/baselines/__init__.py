"""Honest baselines: models without gradients that any other has to beat."""

from collie_core.baselines.ease import EASE
from collie_core.baselines.item_knn import ItemKNN
from collie_core.baselines.popularity import Popularity

__all__ = ["EASE", "ItemKNN", "Popularity"]
