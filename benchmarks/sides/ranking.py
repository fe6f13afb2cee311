"""MAP@10 for any side, with nothing but NumPy: what users have in training is no candidate."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt

K, BLOCK = 10, 512


def mapk(path: Path, score: Callable[[npt.NDArray], npt.NDArray]) -> float:
    """Return the mean over test users; `score` gives (B, N) for users (B,)."""
    arrays = np.load(path)
    shape = int(arrays["users"].max()) + 1, int(arrays["items"].max()) + 1
    is_seen, is_relevant = np.zeros((2, *shape), dtype=bool)
    is_seen[arrays["train_users"], arrays["train_items"]] = True
    is_relevant[arrays["test_users"], arrays["test_items"]] = True
    users, values = np.unique(arrays["test_users"]), []
    for start in range(0, len(users), BLOCK):
        block = users[start : start + BLOCK]
        scores = np.where(is_seen[block], -np.inf, score(block))
        best = np.argsort(-scores, axis=1, kind="stable")[:, :K]
        hits = np.take_along_axis(is_relevant[block], best, axis=1)
        precisions = np.cumsum(hits, axis=1) / np.arange(1, K + 1) * hits
        most = np.minimum(is_relevant[block].sum(axis=1), K)
        values.append(precisions.sum(axis=1) / most)
    return float(np.concatenate(values).mean())
