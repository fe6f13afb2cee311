"""MAP@10 for any side, with nothing but NumPy: what users have had before is no candidate."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt

K, BLOCK = 10, 512
Score = Callable[[npt.NDArray], npt.NDArray]


class Judge:
    """The test of a data set, or another part of it, read once.

    Parameters
    ----------
    path : the data set; users of the part `found` are ranked all items but what they have in `had`.
    """

    def __init__(self, path: Path, found: str = "test_", had: str = "seen_") -> None:
        arrays = np.load(path)
        shape = int(arrays["users"].max()) + 1, int(arrays["items"].max()) + 1
        self.is_seen, self.is_relevant = np.zeros((2, *shape), dtype=bool)
        self.is_seen[arrays[f"{had}users"], arrays[f"{had}items"]] = True
        self.is_relevant[arrays[f"{found}users"], arrays[f"{found}items"]] = True
        self.users = np.unique(arrays[f"{found}users"])

    def mapk(self, score: Score) -> float:
        """Return the mean over test users; `score` gives (B, N) for users (B,)."""
        starts = range(0, len(self.users), BLOCK)
        blocks = [self.users[start : start + BLOCK] for start in starts]
        return float(np.concatenate([self._precisions(each, score) for each in blocks]).mean())

    def _precisions(self, block: npt.NDArray, score: Score) -> npt.NDArray:
        costs = np.where(self.is_seen[block], np.inf, -score(block))
        found = np.argpartition(costs, K, axis=1)[:, :K]
        order = np.argsort(np.take_along_axis(costs, found, axis=1), axis=1, kind="stable")
        best = np.take_along_axis(found, order, axis=1)
        hits = np.take_along_axis(self.is_relevant[block], best, axis=1)
        precisions = np.cumsum(hits, axis=1) / np.arange(1, K + 1) * hits
        return precisions.sum(axis=1) / np.minimum(self.is_relevant[block].sum(axis=1), K)
