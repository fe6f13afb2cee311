"""Benfred's `implicit`."""

import os
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import racing  # beside this file
import ranking
from implicit.cpu.als import AlternatingLeastSquares
from implicit.cpu.bpr import BayesianPersonalizedRanking
from implicit.nearest_neighbours import TFIDFRecommender
from scipy.sparse import csr_matrix

Work = Callable[[], object]
THREADS = int(os.environ["OMP_NUM_THREADS"])
ALS = {  # what is tried
    "factors": (32, 64, 128),
    "regularization": (5.0, 20.0, 50.0, 100.0, 200.0),
    "alpha": (1.0, 3.0, 10.0),
    "iterations": (15,),
}


def _train(path: Path, part: str = "train_") -> csr_matrix:
    arrays = np.load(path)
    users, items = arrays[f"{part}users"], arrays[f"{part}items"]
    shape = int(arrays["users"].max()) + 1, int(arrays["items"].max()) + 1
    return csr_matrix((np.ones(len(users), np.float32), (users, items)), shape=shape)


def top_n(path: Path) -> Work:
    """List the best 20 items of all users."""
    arrays = np.load(path)
    model = AlternatingLeastSquares(factors=64, num_threads=THREADS)
    model.user_factors, model.item_factors = arrays["user_factors"], arrays["item_factors"]
    users = np.arange(len(model.user_factors))
    seen = csr_matrix((len(users), len(model.item_factors)), dtype=np.float32)
    return lambda: model.recommend(users, seen, N=20, filter_already_liked_items=False)


def baseline(path: Path, name: str) -> Work:
    """Fit the TF-IDF neighbours, as many as ours keeps."""
    if name != "ItemKNN":
        raise ValueError(f"there is no {name}")
    have = _train(path)
    return lambda: TFIDFRecommender(K=400, num_threads=THREADS).fit(have, show_progress=False)


def factorized(path: Path) -> Work:
    """Leave beside `path` the factors of the ALS that is best on validation, fitted on "last_"."""
    judge = ranking.Judge(path, "validation_", "train_")
    have, last = _train(path), _train(path, "last_")

    def fitted(have: csr_matrix, options: dict[str, float]) -> AlternatingLeastSquares:
        model = AlternatingLeastSquares(num_threads=THREADS, random_state=0, **options)
        model.fit(have, show_progress=False)
        return model

    def value(options: dict[str, float]) -> float:
        model = fitted(have, options)
        return judge.mapk(lambda block: model.user_factors[block] @ model.item_factors.T)

    def run() -> None:
        best = max(
            (dict(zip(ALS, each, strict=True)) for each in product(*ALS.values())), key=value
        )
        model = fitted(last, best)
        found = {"user_factors": model.user_factors, "item_factors": model.item_factors}
        np.savez(path.with_suffix(".factors.npz"), **found)
        print(best)

    return run


def race(path: Path, seconds: str, laps: str, name: str) -> Work:
    """Fit "als" or "bpr" with 64 dimensions, an iteration a lap."""
    have = _train(path)
    makers = {
        "als": partial(AlternatingLeastSquares, 64, regularization=5.0, alpha=1.0),
        "bpr": partial(BayesianPersonalizedRanking, 64),
    }
    made = partial(makers[name], num_threads=THREADS, random_state=0)
    made(iterations=1).fit(have, show_progress=False)  # what only the first fit takes

    def run() -> dict[str, Any]:
        timed, model = racing.Race(path, seconds, laps), made(iterations=int(laps))

        def lap(*_: object) -> None:
            timed.lap_or_stop(lambda block: model.user_factors[block] @ model.item_factors.T)

        timed.start()
        with suppress(racing.Enough):
            model.fit(have, show_progress=False, callback=lap)
        return timed.result()

    return run
