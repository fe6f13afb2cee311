"""Whether one model is better than another, or was lucky."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

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
    if np.ndim(a) != 1 or np.shape(a) != np.shape(b) or not np.size(a):
        raise ValueError(
            f"a has shape {np.shape(a)}, b {np.shape(b)}, must both be (U,): one value a user"
        )
    differences: Floats = np.asarray(a, dtype=np.float64) - np.asarray(b, dtype=np.float64)
    if not np.isfinite(differences).all():
        row = int(np.isfinite(differences).argmin())
        raise ValueError(
            f"a - b is {differences[row]} at row {row}, must be finite: leave that user out of both"
        )
    return differences
