"""The metrics of given scores, with the signature of the reference."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from scipy.sparse import csr_matrix
from torch import Tensor

from collie_core.interactions.ids import at_least
from collie_core.metrics.blocks import COLUMNS, Block, Trial
from collie_core.metrics.ranked import refuse_shape
from collie_core.metrics.tallies import Coverage
from collie_core.recommend import refuse_nan


def _block(targets: csr_matrix, user_ids: Any, preds: Any, k: int) -> Block:
    users = torch.as_tensor(user_ids).cpu().numpy()
    scores = torch.as_tensor(preds).detach()
    refuse_shape(scores, (len(users), targets.shape[1]))
    refuse_nan(scores, users)
    return Block(Trial(targets.tocsr(), None, at_least("k", k, 1)), users, scores)


def _mean(name: str, targets: csr_matrix, user_ids: Any, preds: Any, k: int) -> float:
    values = COLUMNS[name](_block(targets, user_ids, preds, k))
    if np.isnan(values).all():
        raise ValueError(
            f"none of {len(values)} users has a value of {name}: pass some who have relevant "
            "items and others, with scores above -inf"
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
        If a score is NaN, the shapes differ, or no user has relevant items and others.
    """
    return _mean("auc", targets, user_ids, preds, 1)


def coverage(targets: csr_matrix, user_ids: Any, preds: Tensor, k: int = 10) -> float:
    """Return the share of all N items that are among the first K of at least one user.

    Users without relevant items count as well; an item scored -inf is in no list. For the
    parameters see `auc`, of whose `targets` only the shape matters here.
    """
    block = _block(targets, user_ids, preds, k)
    tally = Coverage(block.trial)
    tally.add(block)
    return tally.result()


def hit_rate(targets: csr_matrix, user_ids: Any, preds: Tensor, k: int = 10) -> float:
    """Return the share of users with a relevant item among their first K; see `auc`."""
    return _mean("hit_rate", targets, user_ids, preds, k)


def mapk(targets: csr_matrix, user_ids: Any, preds: Tensor, k: int = 10) -> float:
    """Return MAP@K: precision at each hit among the first K, summed over min(K, P); see `auc`."""
    return _mean("mapk", targets, user_ids, preds, k)


def mrr(targets: csr_matrix, user_ids: Any, preds: Tensor, k: Any = None) -> float:  # noqa: ARG001
    """Return the mean reciprocal rank of the first relevant item; see `auc`."""
    return _mean("mrr", targets, user_ids, preds, 1)


def ndcg(targets: csr_matrix, user_ids: Any, preds: Tensor, k: int = 10) -> float:
    """Return nDCG@K with gains of 0 and 1 (Järvelin and Kekäläinen, TOIS 2002); see `auc`."""
    return _mean("ndcg", targets, user_ids, preds, k)


def novelty(targets: csr_matrix, user_ids: Any, preds: Tensor, k: int = 10) -> float:
    """Return the mean self-information of the first K items, in bits.

    That of item i is -log2 p(i) (Vargas and Castells, RecSys 2011), with p(i) = (pairs of i + 1) /
    (all pairs + N), counted in `targets` here, and in `exclude` where `evaluate_in_batches` is
    given that. Users without relevant items count as well, those without any item above -inf do
    not; for the parameters see `auc`.
    """
    return _mean("novelty", targets, user_ids, preds, k)


def precision(targets: csr_matrix, user_ids: Any, preds: Tensor, k: int = 10) -> float:
    """Return precision@K: hits among the first K over K, however few items there are; see `auc`."""
    return _mean("precision", targets, user_ids, preds, k)


def recall(targets: csr_matrix, user_ids: Any, preds: Tensor, k: int = 10) -> float:
    """Return recall@K: the share of the relevant items found among the first K; see `auc`."""
    return _mean("recall", targets, user_ids, preds, k)


NAMES: Mapping[Callable[..., float], str] = {
    auc: "auc",
    hit_rate: "hit_rate",
    mapk: "mapk",
    mrr: "mrr",
    ndcg: "ndcg",
    novelty: "novelty",
    precision: "precision",
    recall: "recall",
}
