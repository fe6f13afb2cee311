"""The metrics of a ranking, each a few lines on the ranks of the relevant items."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from scipy.sparse import csr_matrix
from torch import Tensor

from collie_core.interactions.ids import at_least
from collie_core.metrics.ranked import Floats, Ranked, rank_relevant
from collie_core.recommend import refuse_nan

PerUser = Callable[[Ranked, int], Floats]


def _shares(parts: Floats, wholes: Any) -> Floats:
    """Return `parts` / `wholes`, NaN for nothing of nothing."""
    with np.errstate(invalid="ignore", divide="ignore"):
        shares: Floats = np.where(wholes > 0, parts / wholes, np.nan)
    return shares


def _auc(ranked: Ranked, k: int) -> Floats:  # noqa: ARG001 - all metrics share a signature
    relevant, others = ranked.num_relevant, ranked.num_candidates - ranked.num_relevant
    won = ranked.sum_by_user(ranked.midranks) - relevant * (relevant + 1) / 2
    return _shares(won, relevant * others)


def _mapk(ranked: Ranked, k: int) -> Floats:
    precisions = np.where(ranked.ranks <= k, ranked.places() / ranked.ranks, 0.0)
    return _shares(ranked.sum_by_user(precisions), np.minimum(ranked.num_relevant, k))


def _mrr(ranked: Ranked, k: int) -> Floats:  # noqa: ARG001
    firsts = np.where(ranked.places() == 1, 1 / ranked.ranks, 0.0)
    return _shares(ranked.sum_by_user(firsts), np.minimum(ranked.num_relevant, 1))


def _ndcg(ranked: Ranked, k: int) -> Floats:
    gains = np.where(ranked.ranks <= k, 1 / np.log2(ranked.ranks + 1), 0.0)
    most = np.minimum(ranked.num_relevant, k)
    ideals = np.cumsum(1 / np.log2(np.arange(2, most.max(initial=0) + 2)))
    return _shares(ranked.sum_by_user(gains), np.concatenate([[0.0], ideals])[most])


def _recall(ranked: Ranked, k: int) -> Floats:
    return _shares(ranked.sum_by_user(ranked.ranks <= k), ranked.num_relevant)


METRICS: Mapping[str, PerUser] = {
    "auc": _auc,
    "mapk": _mapk,
    "mrr": _mrr,
    "ndcg": _ndcg,
    "recall": _recall,
}


def _mean(name: str, targets: csr_matrix, user_ids: Any, preds: Any, k: int) -> float:
    users = torch.as_tensor(user_ids).cpu().numpy()
    scores = torch.as_tensor(preds)
    refuse_nan(scores, users)
    ranked = rank_relevant(scores, targets.tocsr()[users])
    values = METRICS[name](ranked, at_least("k", k, 1))
    if np.isnan(values).all():
        raise ValueError(
            f"none of {len(users)} users has relevant and other items: pass some who do"
        )
    return float(np.nanmean(values))


def auc(targets: csr_matrix, user_ids: Any, preds: Tensor, k: Any = None) -> float:  # noqa: ARG001
    """Return the mean area under the ROC curve; tied scores count half.

    Parameters
    ----------
    targets : (U, N) sparse, the relevant items of all users.
    user_ids : (B,) the users that `preds` is of; those without relevant items are left out.
    preds : (B, N) scores.
    k : ignored.

    Raises
    ------
    ValueError
        If a score is NaN, or no user has relevant items and others.
    """
    return _mean("auc", targets, user_ids, preds, 1)


def mapk(targets: csr_matrix, user_ids: Any, preds: Tensor, k: int = 10) -> float:
    """Return MAP@K: precision at each hit among the first K, summed over min(K, P); see `auc`."""
    return _mean("mapk", targets, user_ids, preds, k)


def mrr(targets: csr_matrix, user_ids: Any, preds: Tensor, k: Any = None) -> float:  # noqa: ARG001
    """Return the mean reciprocal rank of the first relevant item; see `auc`."""
    return _mean("mrr", targets, user_ids, preds, 1)


def ndcg(targets: csr_matrix, user_ids: Any, preds: Tensor, k: int = 10) -> float:
    """Return nDCG@K with gains of 0 and 1 (Järvelin and Kekäläinen, TOIS 2002); see `auc`."""
    return _mean("ndcg", targets, user_ids, preds, k)


def recall(targets: csr_matrix, user_ids: Any, preds: Tensor, k: int = 10) -> float:
    """Return recall@K: the share of the relevant items found among the first K; see `auc`."""
    return _mean("recall", targets, user_ids, preds, k)


NAMES: Mapping[Callable[..., float], str] = {
    auc: "auc",
    mapk: "mapk",
    mrr: "mrr",
    ndcg: "ndcg",
    recall: "recall",
}
