"""Benfred's `implicit`."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import ranking  # beside this file
from implicit.cpu.als import AlternatingLeastSquares
from implicit.cpu.bpr import BayesianPersonalizedRanking
from implicit.nearest_neighbours import TFIDFRecommender
from scipy.sparse import csr_matrix

Work = Callable[[], object]


def _train(path: Path) -> csr_matrix:
    arrays = np.load(path)
    users, items = arrays["train_users"], arrays["train_items"]
    shape = int(arrays["users"].max()) + 1, int(arrays["items"].max()) + 1
    return csr_matrix((np.ones(len(users), np.float32), (users, items)), shape=shape)


def top_n(path: Path) -> Work:
    """List the best 20 items of all users."""
    arrays = np.load(path)
    model = AlternatingLeastSquares(factors=64, num_threads=1)
    model.user_factors, model.item_factors = arrays["user_factors"], arrays["item_factors"]
    users = np.arange(len(model.user_factors))
    seen = csr_matrix((len(users), len(model.item_factors)), dtype=np.float32)
    return lambda: model.recommend(users, seen, N=20, filter_already_liked_items=False)


def baseline(path: Path, name: str) -> Work:
    """Fit the TF-IDF neighbours, as many as ours keeps."""
    if name != "ItemKNN":
        raise ValueError(f"there is no {name}")
    have = _train(path)
    return lambda: TFIDFRecommender(K=400, num_threads=1).fit(have, show_progress=False)


def quality(path: Path, name: str) -> Callable[[], Callable[[], float]]:
    """Fit "als" or "bpr" with 64 dimensions."""
    have = _train(path)
    makers = {
        "als": partial(AlternatingLeastSquares, 64, regularization=5.0, alpha=1.0, iterations=10),
        "bpr": partial(BayesianPersonalizedRanking, 64),
    }

    def fit() -> Callable[[], float]:
        model = makers[name](num_threads=1, random_state=0)
        model.fit(have, show_progress=False)
        users, items = np.asarray(model.user_factors), np.asarray(model.item_factors)
        return lambda: ranking.mapk(path, lambda block: users[block] @ items.T)

    return fit
