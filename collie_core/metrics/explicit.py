"""Evaluating a model on ratings, pair by pair."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Protocol

import torch
from torch import Tensor

from collie_core.interactions import ExplicitInteractions, InteractionsDataLoader
from collie_core.metrics.blocks import refuse_other_shape
from collie_core.metrics.ranked import precise
from collie_core.metrics.report import report, shown
from collie_core.recommend import scoring
from collie_core.scorer import Scorer

if TYPE_CHECKING:
    from torchmetrics import Metric


class PairScorer(Scorer, Protocol):
    """A scorer that scores single pairs too, as every neural model does."""

    def __call__(self, users: Tensor, items: Tensor) -> Tensor:
        """Score the pairs of `users` and `items`, both (B,): (B,)."""


def explicit_evaluate_in_batches(
    metric_list: "Iterable[Metric]",
    test_interactions: ExplicitInteractions,
    model: PairScorer,
    logger: Any = None,
    verbose: bool = True,
    **kwargs: Any,
) -> list[float]:
    """Return each metric of the scores against the ratings, in the order of `metric_list`.

    Parameters
    ----------
    metric_list : torchmetrics' metrics of (scores, ratings), such as ``MeanSquaredError()``. What
        they hold is neither used nor changed: copies of them do the work. Ratings reach them in
        the type of the scores, as they reach the losses.
    test_interactions : the pairs and their ratings.
    model : see `PairScorer`.
    logger, verbose : see `evaluate_in_batches`; a metric has the name of its class.
    kwargs : see `InteractionsDataLoader`; `num_workers` is 0 unless given.

    Raises
    ------
    ValueError
        If a score is NaN, there is not one a pair, the model is of other counts, no batch is left,
        or a metric is not a single number.
    TypeError
        If a metric is not torchmetrics', the interactions are implicit or on disk, or the model
        only scores all items.
    """
    metrics = [_reset_copy(metric) for metric in metric_list]
    _check(test_interactions, model)
    loader = InteractionsDataLoader(test_interactions, **{"num_workers": 0, **kwargs})
    if not len(loader):
        raise ValueError(
            f"drop_last leaves nothing of {len(test_interactions)} ratings, must leave a batch: "
            f"use a batch_size below {loader.batch_size}"
        )
    with scoring(model):
        for users, items, ratings in shown(loader, verbose):
            scores = _scores(model, users, items)
            for metric in metrics:
                metric.to(scores.device).update(scores, ratings.to(scores))
    results = [_number(metric) for metric in metrics]
    report([type(metric).__name__ for metric in metrics], results, model, logger, verbose)
    return results


def _reset_copy(metric: Any) -> "Metric":
    from torchmetrics import Metric  # takes as long to import as all else together

    if not isinstance(metric, Metric):
        raise TypeError(
            f"metric {getattr(metric, '__name__', repr(metric))} is {type(metric).__name__}, must "
            "be a torchmetrics.Metric such as MeanSquaredError(): evaluate_in_batches takes "
            "functions"
        )
    copy = metric.clone()
    copy.reset()
    return copy


def _check(test_interactions: Any, model: Any) -> None:
    if not isinstance(test_interactions, ExplicitInteractions):
        raise TypeError(
            f"test_interactions is {type(test_interactions).__name__}, must be "
            "ExplicitInteractions: make them of users, items and ratings, or use "
            "evaluate_in_batches for implicit data"
        )
    if not callable(model):
        raise TypeError(
            f"model is {type(model).__name__}, must score pairs of users and items when called: "
            "use a neural model"
        )
    refuse_other_shape(test_interactions, model)


def _scores(model: PairScorer, users: Tensor, items: Tensor) -> Tensor:
    device = torch.device(getattr(model, "device", "cpu"))
    scores = model(users.to(device), items.to(device))
    if scores.shape != users.shape:
        raise ValueError(
            f"the model gave {tuple(scores.shape)} for {len(users)} pairs, must be "
            f"{tuple(users.shape)}: give one score a pair"
        )
    if (wrong := scores.isnan()).any():
        row = int(wrong.nonzero()[0])
        raise ValueError(
            f"the score of user {users[row]} for item {items[row]} is NaN, must be a number: "
            "the model has diverged, train it with a lower lr"
        )
    return precise(scores)


def _number(metric: "Metric") -> float:
    value = metric.compute()
    if not isinstance(value, Tensor) or value.numel() != 1:
        raise ValueError(
            f"{type(metric).__name__} gave {value}, must be one number: choose a metric, or an "
            "option of it, that is"
        )
    return float(value)
