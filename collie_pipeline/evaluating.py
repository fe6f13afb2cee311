"""Judging models on the test interactions: plain functions, called by the assets."""

import operator
from collections.abc import Iterable, Mapping, Sequence
from functools import reduce
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.sparse import csr_matrix

from collie_core.baselines import Popularity
from collie_core.interactions import Interactions, read_hdf5
from collie_core.metrics import (
    METRICS,
    Interval,
    evaluate_per_user,
    explicit_evaluate_in_batches,
    paired_bootstrap,
)
from collie_core.metrics.explicit import PairScorer
from collie_core.scorer import Scorer
from collie_pipeline.ingredients import read_ratings
from collie_pipeline.preparation import read_ids
from collie_pipeline.sections import Evaluation
from collie_pipeline.segments import segment_means, segment_recalls
from collie_pipeline.served import Served, Translated, translate
from collie_pipeline.storage import Publication

DECIDING = "mapk"  # the metric by which models are ranked and the gate decides
ERRORS = ("mse", "mae")  # of models that learn ratings, as attributes of their table
REFERENCE = "popularity"  # the model that all others have to beat


def read_positives(path: Path) -> Interactions:
    """Return the interactions in the HDF5 file at `path`, without tables to sample from."""
    return read_hdf5(path, allow_missing_ids=True, max_number_of_samples_to_consider=0)


def seen_items(*paths: Path) -> csr_matrix:
    """Return the items (U, N) that users have in the HDF5 files at `paths`, as a sparse matrix."""
    matrices = [read_positives(path).mat.tocsr() for path in paths]
    return reduce(operator.add, matrices)


def per_user_metrics(
    model: Scorer, test: Path, known: Sequence[Path], evaluation: Evaluation
) -> pd.DataFrame:
    """Return user_id and the metrics of every user of `test`, seen items masked.

    Users of whom the model knows nothing are judged by the popular items, which they are served.

    Parameters
    ----------
    model : scorer over the encoded ids of `test`; a `Translated` one says itself whom it knows.
    test : HDF5 file of the interactions to find.
    known : HDF5 files of the interactions that leave the ranking, those to learn from first.
    evaluation : settings.

    Returns
    -------
    One row a test user, by user_id; `is_cold` says that the user is not in the first file of
    `known`, and for `recall_head` and `recall_tail` see `segment_recalls`: NaN for users without
    such items.
    """
    seen, relevant = seen_items(*known), read_positives(test)
    train = seen_items(known[0])
    is_cold = np.diff(train.indptr) == 0
    strangers = model.strangers if isinstance(model, Translated) else is_cold
    served = Served(model, Popularity.fit(read_positives(known[0])), strangers)
    metrics = evaluate_per_user(served, relevant, k=evaluation.k, exclude=seen)
    metrics = metrics.join(segment_recalls(served, relevant, train, seen, evaluation.k), on="user")
    users = metrics.pop("user").to_numpy()
    metrics.insert(0, "user_id", np.asarray(read_ids(test)[0])[users].astype(object))
    metrics.insert(1, "is_cold", is_cold[users])
    return metrics.sort_values("user_id", ignore_index=True)


def rating_errors(model: PairScorer, test: Path) -> dict[str, float]:
    """Return the mean squared and the mean absolute error of `model` on the ratings in `test`."""
    from torchmetrics import MeanAbsoluteError, MeanSquaredError  # a second to load

    metrics = [MeanSquaredError(), MeanAbsoluteError()]
    errors = explicit_evaluate_in_batches(metrics, read_ratings(test), model, verbose=False)
    return dict(zip(ERRORS, errors, strict=True))


def leaderboard(per_user: Mapping[str, pd.DataFrame], evaluation: Evaluation) -> pd.DataFrame:
    """Return one row a model, best first: every metric with its bootstrap interval.

    `vs_popularity` is the paired difference in MAP@K to the popularity model, with its interval;
    both are over the same users, `cold_users` of whom have no interactions to learn from. For
    the columns of segments see `segment_means`. If a table has the attributes `mse` and `mae`,
    these are columns too, NaN for models whose table has none.

    Raises
    ------
    ValueError
        If the models were not judged on the same users.
    """
    first = next(iter(per_user.values()))
    for name, table in per_user.items():
        if not table["user_id"].equals(first["user_id"]):
            raise ValueError(f"{name} was judged on other users: evaluate all models again")
    rows = [
        {"model": name, "users": len(table), "cold_users": int(table["is_cold"].sum())}
        | _with_interval(table, per_user.get(REFERENCE), evaluation)
        | segment_means(table)
        | _errors(table, per_user.values())
        for name, table in per_user.items()
    ]
    return pd.DataFrame(rows).sort_values(
        [DECIDING, "model"], ascending=[False, True], ignore_index=True
    )


def _errors(table: pd.DataFrame, tables: Iterable[pd.DataFrame]) -> dict[str, float]:
    """Return the errors on ratings of one model, if any of `tables` has them."""
    is_known = any(name in each.attrs for each in tables for name in ERRORS)
    return {name: float(table.attrs.get(name, np.nan)) for name in ERRORS} if is_known else {}


def difference(
    ours: npt.NDArray[np.float64], theirs: npt.NDArray[np.float64], evaluation: Evaluation
) -> Interval:
    """Return the mean of `ours` - `theirs`, (U,) each, with its bootstrap interval.

    Users for whom a metric is undefined, such as the AUC of one who has every item, are left out;
    if that leaves nobody, all is NaN.
    """
    known = np.isfinite(ours) & np.isfinite(theirs)
    if not known.any():
        return Interval(np.nan, np.nan, np.nan)
    return paired_bootstrap(
        ours[known], theirs[known], resamples=evaluation.resamples, confidence=evaluation.confidence
    )


def _with_interval(
    table: pd.DataFrame, reference: pd.DataFrame | None, evaluation: Evaluation
) -> dict[str, float]:
    row: dict[str, float] = {}
    columns = {name: table[name].to_numpy() for name in METRICS}
    differences = {name: (values, np.zeros_like(values)) for name, values in columns.items()}
    if reference is not None:
        differences[f"vs_{REFERENCE}"] = columns[DECIDING], reference[DECIDING].to_numpy()
    for name, (ours, theirs) in differences.items():
        interval = difference(ours, theirs, evaluation)
        row |= {name: interval.mean, f"{name}_low": interval.low, f"{name}_high": interval.high}
    return row


def serving_metrics(
    serving: Publication | None, test: Path, known: Sequence[Path], evaluation: Evaluation
) -> pd.DataFrame | None:
    """Return what `per_user_metrics` says of the model that serves; None if nothing does."""
    if serving is None:
        return None
    return per_user_metrics(translate(serving.bundle, test), test, known, evaluation)
