"""The metrics of a ranking, each a few lines on the ranks of the relevant items."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from collie_core.metrics.ranked import Floats, Ranked

PerUser = Callable[[Ranked, int], Floats]


def shares(parts: Floats, wholes: Any) -> Floats:
    """Return `parts` / `wholes`, NaN for nothing of nothing."""
    with np.errstate(invalid="ignore", divide="ignore"):
        divided: Floats = np.where(wholes > 0, parts / wholes, np.nan)
    return divided


def _hits(ranked: Ranked, k: int) -> Floats:
    """Return how many of the first K are relevant, (U,)."""
    return ranked.sum_by_user(ranked.ranks <= k)


def _has_relevant(ranked: Ranked) -> Any:
    """Return 1 for a user with relevant items and 0 for others, (U,)."""
    return np.minimum(ranked.num_relevant, 1)


def _auc(ranked: Ranked, k: int) -> Floats:  # noqa: ARG001 - all metrics share a signature
    relevant, others = ranked.num_relevant, ranked.num_candidates - ranked.num_relevant
    won = ranked.sum_by_user(ranked.midranks) - relevant * (relevant + 1) / 2
    return shares(won, relevant * others)


def _hit_rate(ranked: Ranked, k: int) -> Floats:
    return shares(np.minimum(_hits(ranked, k), 1), _has_relevant(ranked))


def _mapk(ranked: Ranked, k: int) -> Floats:
    precisions = np.where(ranked.ranks <= k, ranked.places() / ranked.ranks, 0.0)
    return shares(ranked.sum_by_user(precisions), np.minimum(ranked.num_relevant, k))


def _mrr(ranked: Ranked, k: int) -> Floats:  # noqa: ARG001
    firsts = np.where(ranked.places() == 1, 1 / ranked.ranks, 0.0)
    return shares(ranked.sum_by_user(firsts), _has_relevant(ranked))


def _ndcg(ranked: Ranked, k: int) -> Floats:
    gains = np.where(ranked.ranks <= k, 1 / np.log2(ranked.ranks + 1), 0.0)
    most = np.minimum(ranked.num_relevant, k)
    ideals = np.cumsum(1 / np.log2(np.arange(2, most.max(initial=0) + 2)))
    return shares(ranked.sum_by_user(gains), np.concatenate([[0.0], ideals])[most])


def _precision(ranked: Ranked, k: int) -> Floats:
    return shares(_hits(ranked, k), k * _has_relevant(ranked))


def _recall(ranked: Ranked, k: int) -> Floats:
    return shares(_hits(ranked, k), ranked.num_relevant)


METRICS: Mapping[str, PerUser] = {
    "auc": _auc,
    "hit_rate": _hit_rate,
    "mapk": _mapk,
    "mrr": _mrr,
    "ndcg": _ndcg,
    "precision": _precision,
    "recall": _recall,
}
