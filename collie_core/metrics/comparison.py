"""Whether one model is better than another, or was lucky."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from collie_core.metrics.ranked import Floats

DRAWS_A_BLOCK = 1 << 22  # numbers drawn at once: 32 MiB


@dataclass(frozen=True)
class Interval:
    """A mean and its confidence interval."""

    mean: float
    low: float
    high: float

    @property
    def excludes_zero(self) -> bool:
        """Whether the whole interval is on one side of zero."""
        return self.low > 0 or self.high < 0


def paired_bootstrap(
    a: npt.ArrayLike,
    b: npt.ArrayLike,
    *,
    resamples: int = 2000,
    confidence: float = 0.95,
    seed: int = 0,
) -> Interval:
    """Return the mean of a - b with its percentile bootstrap interval (Efron, 1979).

    Users are drawn with replacement, each with both of its values, so that what makes a user hard
    for both models does not widen the interval.

    Parameters
    ----------
    a, b : (U,) values of a metric by user, in the same order.
    resamples : how many samples of U users are drawn.
    confidence : share of the means of the samples that the interval covers.
    seed : of the draws.

    Raises
    ------
    ValueError
        If `a` and `b` differ in length, are empty, or hold what is not finite; if `resamples` is
        less than 1, or `confidence` not between 0 and 1.
    """
    if resamples < 1:
        raise ValueError(f"resamples is {resamples}, must be at least 1: use 2000")
    if not 0 < confidence < 1:
        raise ValueError(f"confidence is {confidence}, must be between 0 and 1: use 0.95")
    differences = _differences(a, b)
    rng, count = np.random.default_rng(seed), len(differences)
    step = max(1, DRAWS_A_BLOCK // count)
    sizes = [min(step, resamples - start) for start in range(0, resamples, step)]
    means = np.concatenate(
        [differences[rng.integers(0, count, (size, count))].mean(axis=1) for size in sizes]
    )
    tail = (1 - confidence) / 2
    low, high = np.quantile(means, [tail, 1 - tail])
    return Interval(float(differences.mean()), float(low), float(high))


def _differences(a: npt.ArrayLike, b: npt.ArrayLike) -> Floats:
    _refuse_shapes(a, b)
    differences: Floats = np.asarray(a, dtype=np.float64) - np.asarray(b, dtype=np.float64)
    if not np.isfinite(differences).all():
        row = int(np.isfinite(differences).argmin())
        raise ValueError(
            f"a - b is {differences[row]} at row {row}, must be finite: leave that user out of both"
        )
    return differences


def _refuse_shapes(a: npt.ArrayLike, b: npt.ArrayLike) -> None:
    if np.ndim(a) != 1 or np.shape(a) != np.shape(b) or not np.size(a):
        raise ValueError(
            f"a has shape {np.shape(a)}, b {np.shape(b)}, must both be (U,): one value a user"
        )


def compare(
    a: pd.DataFrame | npt.ArrayLike,
    b: pd.DataFrame | npt.ArrayLike,
    *,
    resamples: int = 2000,
    confidence: float = 0.95,
    seed: int = 0,
) -> pd.DataFrame:
    """Return how model `a` differs from model `b` in each metric, and whether that may be luck.

    Parameters
    ----------
    a, b : tables of `evaluate_per_user`, of the same users in any order; or the values (U,) of a
        single metric by user, in the same order.
    resamples, confidence, seed : see `paired_bootstrap`.

    Returns
    -------
    A row a metric, by name, "metric" where it has none: the means `a` and `b`, their `difference`
    with its interval from `low` to `high`, whether that `excludes_zero`, and of how many `users`.
    Those for whom a metric is NaN in either are left out of it; if that leaves nobody, all is NaN.

    Raises
    ------
    ValueError
        If users or metrics are not the same, or see `paired_bootstrap`.
    TypeError
        If one is a table, and the other is not.
    """
    ours, theirs = _aligned(a, b)
    options = {"resamples": resamples, "confidence": confidence, "seed": seed}
    rows = [_row(ours[name], theirs[name], options) for name in ours.columns]
    return pd.DataFrame(rows, index=pd.Index(ours.columns, name="metric"))


def _row(ours: "pd.Series[float]", theirs: "pd.Series[float]", options: Any) -> dict[str, Any]:
    known = (ours.notna() & theirs.notna()).to_numpy()
    a, b = (values.to_numpy(dtype=np.float64)[known] for values in (ours, theirs))
    interval, means = Interval(np.nan, np.nan, np.nan), (np.nan, np.nan)
    if known.any():
        interval, means = paired_bootstrap(a, b, **options), (float(a.mean()), float(b.mean()))
    return {
        "a": means[0],
        "b": means[1],
        "difference": interval.mean,
        "low": interval.low,
        "high": interval.high,
        "excludes_zero": interval.excludes_zero,
        "users": len(a),
    }


def _aligned(a: Any, b: Any) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the columns of both that are metrics, by user, in the order of `a`."""
    are_tables = [isinstance(each, pd.DataFrame) for each in (a, b)]
    if not any(are_tables):
        _refuse_shapes(a, b)
        return pd.DataFrame({"metric": np.asarray(a)}), pd.DataFrame({"metric": np.asarray(b)})
    if not all(are_tables):
        raise TypeError(
            f"a is {type(a).__name__} and b {type(b).__name__}, must be alike: two tables of "
            "evaluate_per_user, or two arrays"
        )
    ours, theirs = _by_user("a", a), _by_user("b", b)
    if strangers := ours.index.symmetric_difference(theirs.index).size:
        raise ValueError(
            f"{strangers} users are in a or b only, must all be in both: evaluate both models on "
            "the same test interactions, with the same exclude"
        )
    if odd := sorted({*ours.columns} ^ {*theirs.columns}):
        raise ValueError(f"metrics {odd} are in a or b only, must be in both: ask for them of both")
    return ours, theirs.reindex(index=ours.index, columns=ours.columns)


def _by_user(name: str, table: pd.DataFrame) -> pd.DataFrame:
    if "user" not in table or not table["user"].is_unique:
        raise ValueError(
            f"{name} has columns {list(table.columns)}, must have 'user', each user once: "
            "evaluate_per_user gives such tables"
        )
    return table.set_index("user")
