"""LightFM."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import racing  # beside this file
from lightfm import LightFM
from scipy.sparse import coo_matrix


def race(path: Path, seconds: str, laps: str) -> Callable[[], dict[str, Any]]:
    """Fit WARP with 64 dimensions, an epoch a lap."""
    arrays, threads = np.load(path), int(os.environ["OMP_NUM_THREADS"])
    users, items = arrays["train_users"], arrays["train_items"]
    shape = int(arrays["users"].max()) + 1, int(arrays["items"].max()) + 1
    train = coo_matrix((np.ones(len(users), np.float32), (users, items)), shape=shape)

    def run() -> dict[str, Any]:
        timed = racing.Race(path, seconds, laps)
        model = LightFM(no_components=64, loss="warp", random_state=0)

        def score(block: npt.NDArray) -> npt.NDArray:
            of_users, of_items = model.user_embeddings[block], model.item_embeddings
            return of_users @ of_items.T + model.item_biases

        is_over = False
        timed.start()
        while not is_over:
            model.fit_partial(train, epochs=1, num_threads=threads)
            is_over = timed.lap(score)
        return timed.result()

    return run
