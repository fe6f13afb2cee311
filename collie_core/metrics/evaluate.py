"""Evaluating a model on many users, block by block."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy.sparse import csr_matrix
from torch import Tensor

from collie_core.interactions import Interactions
from collie_core.interactions.ids import at_least
from collie_core.metrics.ranked import Ranked, Whole, rank_relevant
from collie_core.metrics.ranking import METRICS, NAMES
from collie_core.recommend import hide, scores_of, scoring
from collie_core.scorer import Scorer
from collie_core.tables import lookup

Metric = Callable[..., float]
ALL = tuple(METRICS)


class Block(NamedTuple):
    """Users (B,), their scores (B, N) and excluded items, and where their relevant ones rank."""

    users: Whole
    scores: Tensor
    hidden: csr_matrix | None
    ranked: Ranked


def _targets(test_interactions: Interactions, model: Scorer) -> csr_matrix:
    if not isinstance(test_interactions, Interactions):
        raise TypeError(
            f"test_interactions is {type(test_interactions).__name__}, must be Interactions: "
            "read_hdf5 returns them of a file"
        )
    targets = test_interactions.mat.tocsr()
    if targets.shape != (model.num_users, model.num_items):
        raise ValueError(
            f"test_interactions has {targets.shape} users and items, must have the model's "
            f"{(model.num_users, model.num_items)}: give both the same num_users and num_items"
        )
    return targets


def _excluded(exclude: Any, shape: tuple[int, int]) -> csr_matrix | None:
    if exclude is None:
        return None
    matrix: Any = getattr(exclude, "mat", exclude)
    if not hasattr(matrix, "tocsr"):
        raise TypeError(
            f"exclude is {type(exclude).__name__}, must be Interactions or a sparse matrix: "
            "read_hdf5 returns the first of a file"
        )
    if matrix.shape != shape:
        raise ValueError(
            f"exclude has {matrix.shape} users and items, must have {shape}, as the test has: "
            "give both the same num_users and num_items"
        )
    return csr_matrix(matrix)


def _batches(targets: csr_matrix, batch_size: int) -> list[Whole]:
    """Return the users with something to find, `batch_size` at a time."""
    at_least("batch_size", batch_size, 1)
    users = np.flatnonzero(np.diff(targets.indptr))
    return [users[start : start + batch_size] for start in range(0, len(users), batch_size)]


def _blocks(
    model: Scorer, targets: csr_matrix, exclude: csr_matrix | None, batches: Iterable[Whole]
) -> Iterator[Block]:
    for users in batches:
        scores = scores_of(model, users)
        hidden = None if exclude is None else exclude[users]
        yield Block(users, scores, hidden, rank_relevant(scores, targets[users], hidden))


def evaluate_per_user(
    model: Scorer,
    test_interactions: Interactions,
    *,
    k: int = 10,
    batch_size: int = 1024,
    exclude: Any = None,
    metrics: Sequence[str] = ALL,
) -> pd.DataFrame:
    """Return the metrics of each user, one row a user with a relevant candidate.

    Parameters
    ----------
    model : the scorer to judge.
    test_interactions : the relevant items.
    k : K of the metrics that look at the first K items.
    batch_size : users scored at once.
    exclude : interactions or sparse matrix (U, N) of items that are no candidates of their user,
        such as the training data.
    metrics : names of `METRICS`.

    Returns
    -------
    `user` and a float64 column a metric; AUC is NaN for a user with no other candidates.

    Raises
    ------
    ValueError
        If a score is NaN, the shapes differ, or there is nothing to find.
    """
    chosen = {name: lookup("metric", METRICS, name) for name in metrics}
    at_least("k", k, 1)
    targets = _targets(test_interactions, model)
    excluded = _excluded(exclude, targets.shape)
    tables = []
    with scoring(model):
        for block in _blocks(model, targets, excluded, _batches(targets, batch_size)):
            columns = {name: metric(block.ranked, k) for name, metric in chosen.items()}
            found = block.ranked.num_relevant > 0
            tables.append(pd.DataFrame({"user": block.users, **columns})[found])
    return pd.concat(tables, ignore_index=True)


def evaluate_in_batches(
    metric_list: Iterable[Metric],
    test_interactions: Interactions,
    model: Scorer,
    k: int = 10,
    batch_size: int = 20,
    logger: Any = None,
    verbose: bool = True,
    *,
    exclude: Any = None,
) -> list[float]:
    """Return the mean over users of each metric, in the order of `metric_list`.

    Metrics of `collie_core.metrics` come out of one pass. Any other function is called for each
    block with `targets` (U, N) sparse, `user_ids` (B,), `preds` (B, N) and `k`, and its values are
    averaged by users; items in `exclude` have the score -inf in its `preds`.

    Parameters
    ----------
    metric_list : functions that return a float.
    test_interactions, model, k, exclude : see `evaluate_per_user`.
    batch_size : users scored at once; more is faster.
    logger : its `log_metrics` receives the results by name, at the step of the model's
        `hparams.num_epochs_completed` if it has that.
    verbose : whether to show progress and print the results.

    Raises
    ------
    ValueError
        See `evaluate_per_user`.
    """
    metrics = list(metric_list)
    at_least("k", k, 1)
    targets = _targets(test_interactions, model)
    excluded = _excluded(exclude, targets.shape)
    batches = _batches(targets, batch_size)
    sums = np.zeros((2, len(metrics)))  # of the values, and of the users that have them
    with scoring(model):
        for block in _blocks(model, targets, excluded, _shown(batches, verbose)):
            sums += np.transpose([_sum(metric, targets, block, k) for metric in metrics])
    with np.errstate(invalid="ignore"):
        results: list[float] = (sums[0] / sums[1]).tolist()  # NaN of nobody
    _report(metrics, results, model, logger, verbose)
    return results


def _sum(metric: Metric, targets: csr_matrix, block: Block, k: int) -> tuple[float, int]:
    """Return the sum of a metric over the users of a block, and how many of them have it."""
    if metric in NAMES:
        values = METRICS[NAMES[metric]](block.ranked, k)
        return float(np.nansum(values)), int((~np.isnan(values)).sum())
    preds = block.scores if block.hidden is None else hide(block.scores, block.hidden)
    mean = metric(targets=targets, user_ids=block.users, preds=preds, k=k)
    return float(mean) * len(block.users), len(block.users)


def _shown(batches: list[Whole], verbose: bool) -> Iterable[Whole]:
    if not verbose:
        return batches
    from rich.progress import track  # only where there is somebody to look at it

    return track(batches, "evaluate", transient=True)


def _report(
    metrics: Sequence[Metric], results: list[float], model: Scorer, logger: Any, verbose: bool
) -> None:
    named = {
        getattr(metric, "__name__", str(metric)): value
        for metric, value in zip(metrics, results, strict=True)
    }
    if verbose:
        print("  ".join(f"{name} {value:.4f}" for name, value in named.items()))
    if logger is not None:
        hparams = getattr(model, "hparams", None)
        logger.log_metrics(named, step=getattr(hparams, "num_epochs_completed", None))
