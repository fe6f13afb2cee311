"""RecTools' metrics of lists of recommendations."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from rectools import Columns
from rectools.metrics import MAP, MRR, NDCG, calc_metrics

K = 10
Work = Callable[[], object]


def lists(path: Path) -> Work:
    """Judge lists of ten items for each test user, which are there before the clock runs."""
    test, factors = _test(path), _factors(path)
    recommended = _recommended(*factors)
    return lambda: _judged(recommended, test)


def evaluation(path: Path) -> Work:
    """Score all pairs of factors of 32 dimensions, list the best ten of each user, judge those.

    RecTools judges lists; to make them is nobody's but the benchmark's. What is seen stays in.
    """
    test, factors = _test(path), _factors(path)
    return lambda: _judged(_recommended(*factors), test)


def _judged(recommended: pd.DataFrame, test: pd.DataFrame) -> list[float]:
    """Return three metrics: AUC, which ours has too, needs more than lists."""
    chosen = {"map": MAP(k=K), "mrr": MRR(k=K), "ndcg": NDCG(k=K)}
    return [*calc_metrics(chosen, reco=recommended, interactions=test).values()]


def _test(path: Path) -> pd.DataFrame:
    arrays = np.load(path)
    return _frame(arrays["test_users"], arrays["test_items"])


def _factors(path: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    arrays, rng = np.load(path), np.random.default_rng(0)
    users, num_items = np.unique(arrays["test_users"]), int(arrays["items"].max()) + 1
    shapes = (len(users), 32), (num_items, 32)
    return users, *(rng.standard_normal(shape, dtype=np.float32) for shape in shapes)


def _recommended(users: np.ndarray, of_users: np.ndarray, of_items: np.ndarray) -> pd.DataFrame:
    scores = of_users @ of_items.T
    found = np.argpartition(-scores, K, axis=1)[:, :K]
    order = np.argsort(-np.take_along_axis(scores, found, axis=1), axis=1)
    items = np.take_along_axis(found, order, axis=1)
    ranks = np.tile(np.arange(1, K + 1), len(users))
    return _frame(users.repeat(K), items.ravel()).assign(**{Columns.Rank: ranks})


def _frame(users: np.ndarray, items: np.ndarray) -> pd.DataFrame:
    return pd.DataFrame({Columns.User: users, Columns.Item: items})
