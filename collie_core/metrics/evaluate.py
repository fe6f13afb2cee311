"""Evaluating a model on many users, block by block."""

from collections.abc import Iterable, Sequence
from typing import Any

import pandas as pd

from collie_core.interactions import Interactions
from collie_core.metrics.blocks import COLUMNS, Trial
from collie_core.metrics.functions import NAMES, coverage
from collie_core.metrics.ranking import METRICS
from collie_core.metrics.report import report, shown
from collie_core.metrics.tallies import (
    Coverage,
    Mean,
    Metric,
    Tally,
    column_part,
    function_part,
)
from collie_core.recommend import scoring
from collie_core.scorer import Scorer
from collie_core.tables import lookup

ALL = tuple(METRICS)


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
    metrics : names of `METRICS`, or "novelty", which lists items and is not asked for by default.

    Returns
    -------
    `user` and a float64 column a metric; AUC is NaN for a user with no other candidates.

    Raises
    ------
    ValueError
        If a score is NaN, the shapes differ, or there is nothing to find.
    TypeError
        If `test_interactions` are on disk or explicit.
    """
    chosen = {name: lookup("metric", COLUMNS, name) for name in metrics}
    trial = Trial.of(test_interactions, model, exclude, k)
    tables = []
    with scoring(model):
        for block in trial.blocks(model, trial.batches(batch_size)):
            columns = {name: column(block) for name, column in chosen.items()}
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

    Metrics of `collie_core.metrics` come out of one pass; `coverage` and `novelty` are of all
    users with test interactions, even if `exclude` leaves them nothing to find. Any other function
    is called for each block with `targets` (U, N) sparse, `user_ids` (B,), `preds` (B, N) and `k`,
    and its values are averaged by users; items in `exclude` have the score -inf in its `preds`.

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
    TypeError
        See `evaluate_per_user`, and if a metric is torchmetrics' or no function.
    """
    metrics = list(metric_list)
    names = [_name(metric) for metric in metrics]
    trial = Trial.of(test_interactions, model, exclude, k)
    batches = trial.batches(batch_size)
    tallies = [_tally(metric, trial) for metric in metrics]
    with scoring(model):
        for block in trial.blocks(model, shown(batches, verbose)):
            for tally in tallies:
                tally.add(block)
    results = [tally.result() for tally in tallies]
    report(names, results, model, logger, verbose)
    return results


def _name(metric: Any) -> str:
    if not callable(metric) or hasattr(metric, "compute"):
        raise TypeError(
            f"metric {metric!r} is {type(metric).__name__}, must be a function such as auc: "
            "explicit_evaluate_in_batches takes those of torchmetrics"
        )
    return getattr(metric, "__name__", str(metric))


def _tally(metric: Metric, trial: Trial) -> Tally:
    if metric is coverage:
        return Coverage(trial)
    if metric in NAMES:
        return Mean(column_part(COLUMNS[NAMES[metric]]))
    return Mean(function_part(metric))
