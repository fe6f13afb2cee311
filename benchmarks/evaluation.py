"""How long all metrics take on the shape of MovieLens-100K, beside sorting all the scores.

Run it alone: ``python benchmarks/evaluation.py [threads]``. It generates its data, checks that both
ways agree, and prints the median of five runs of each, scoring included.
"""

import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from scipy.sparse import csr_matrix
from torch import Tensor

from collie_core.interactions import Interactions
from collie_core.metrics import METRICS, evaluate_per_user

USERS, ITEMS, FACTORS, K, RUNS = 943, 1682, 32, 10, 5
RELEVANT, SEEN = 10, 50  # means a user

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Factors:
    """A scorer of the cost of matrix factorisation."""

    users: Tensor
    items: Tensor

    @property
    def num_users(self) -> int:
        """Number of users, U."""
        return len(self.users)

    @property
    def num_items(self) -> int:
        """Number of items, N."""
        return len(self.items)

    def score_all(self, users: Tensor) -> Tensor:
        """Score every item for `users` (B,): (B, N)."""
        return self.users[users] @ self.items.T


def generated(rng: np.random.Generator) -> tuple[Factors, csr_matrix, csr_matrix]:
    """Return a scorer, and what users have to be found and have been seen (U, N), disjoint."""
    drawn = rng.random((USERS, ITEMS))
    relevant, seen = RELEVANT / ITEMS, (RELEVANT + SEEN) / ITEMS
    factors = (
        torch.from_numpy(rng.standard_normal((count, FACTORS), dtype=np.float32))
        for count in (USERS, ITEMS)
    )
    return (
        Factors(*factors),
        csr_matrix(drawn < relevant, dtype=np.float32),
        csr_matrix((drawn >= relevant) & (drawn < seen), dtype=np.float32),
    )


def metrics_of(hits: npt.NDArray[np.bool_]) -> list[float]:
    """Return the metrics, in the order of `METRICS`, of one user's candidates (C,), best first."""
    ranks = np.flatnonzero(hits) + 1
    count, places = len(ranks), np.arange(1, len(ranks) + 1)
    others = len(hits) - count
    beaten = others - (ranks - places)
    first = ranks <= K
    ideal = (1 / np.log2(np.arange(2, min(K, count) + 2))).sum()
    return [
        beaten.mean() / others,
        first.any(),
        (places[first] / ranks[first]).sum() / min(K, count),
        1 / ranks[0],
        (1 / np.log2(ranks[first] + 1)).sum() / ideal,
        first.sum() / K,
        first.mean(),
    ]


def by_sorting(model: Factors, relevant: csr_matrix, seen: csr_matrix) -> Floats:
    """Return the metrics of each user with something to find, by sorting all their scores."""
    scores = model.score_all(torch.arange(USERS)).numpy()
    is_relevant, is_seen = relevant.toarray() > 0, seen.toarray() > 0
    order = np.argsort(-scores, axis=1, kind="stable")
    found = np.take_along_axis(is_relevant, order, axis=1)
    kept = ~np.take_along_axis(is_seen, order, axis=1)
    users = np.flatnonzero(is_relevant.any(axis=1))
    return np.array([metrics_of(found[user][kept[user]]) for user in users])


def timed(work: Callable[[], object]) -> float:
    """Return the median seconds of some runs of `work`, after one that is not counted."""
    work()
    seconds = []
    for _ in range(RUNS):
        began = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - began)
    return statistics.median(seconds)


def main() -> None:
    """Check that both ways agree, and print how long each takes."""
    torch.set_num_threads(int(sys.argv[1]) if len(sys.argv) > 1 else 2)
    model, relevant, seen = generated(np.random.default_rng(0))
    test = Interactions(mat=relevant.tocoo(), check_num_negative_samples_is_valid=False, seed=0)

    def ours() -> pd.DataFrame:
        return evaluate_per_user(model, test, k=K, exclude=seen)

    def twin() -> Floats:
        return by_sorting(model, relevant, seen)

    np.testing.assert_allclose(ours()[list(METRICS)].to_numpy(), twin(), rtol=1e-12)
    our_seconds, twin_seconds = timed(ours), timed(twin)
    print(f"{USERS} users, {ITEMS} items, {relevant.nnz} to find, {seen.nnz} seen, K = {K}")
    print(f"threads              {torch.get_num_threads()}")
    print(f"ours                 {our_seconds:.3f} s")
    print(f"sorting with numpy   {twin_seconds:.3f} s")
    print(f"ratio                {twin_seconds / our_seconds:.1f}")


if __name__ == "__main__":
    main()
