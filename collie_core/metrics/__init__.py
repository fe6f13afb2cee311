"""How good a ranking is, and whether one model's is better than another's."""

from collie_core.metrics.comparison import Interval, compare, paired_bootstrap
from collie_core.metrics.evaluate import evaluate_in_batches, evaluate_per_user
from collie_core.metrics.explicit import explicit_evaluate_in_batches
from collie_core.metrics.functions import (
    auc,
    coverage,
    hit_rate,
    mapk,
    mrr,
    ndcg,
    novelty,
    precision,
    recall,
)
from collie_core.metrics.ranking import METRICS

__all__ = [
    "METRICS",
    "Interval",
    "auc",
    "compare",
    "coverage",
    "evaluate_in_batches",
    "evaluate_per_user",
    "explicit_evaluate_in_batches",
    "hit_rate",
    "mapk",
    "mrr",
    "ndcg",
    "novelty",
    "paired_bootstrap",
    "precision",
    "recall",
]
