"""How good a ranking is, and whether one model's is better than another's."""

from collie_core.metrics.comparison import Interval, paired_bootstrap
from collie_core.metrics.evaluate import evaluate_in_batches, evaluate_per_user
from collie_core.metrics.ranking import METRICS, auc, mapk, mrr, ndcg, recall

__all__ = [
    "METRICS",
    "Interval",
    "auc",
    "evaluate_in_batches",
    "evaluate_per_user",
    "mapk",
    "mrr",
    "ndcg",
    "paired_bootstrap",
    "recall",
]
