"""LightFM."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import ranking  # beside this file
from lightfm import LightFM
from scipy.sparse import coo_matrix


def quality(path: Path, epochs: str) -> Callable[[], Callable[[], float]]:
    """Fit WARP with 64 dimensions."""
    arrays = np.load(path)
    users, items = arrays["train_users"], arrays["train_items"]
    shape = int(arrays["users"].max()) + 1, int(arrays["items"].max()) + 1
    train = coo_matrix((np.ones(len(users), np.float32), (users, items)), shape=shape)

    def fit() -> Callable[[], float]:
        model = LightFM(no_components=64, loss="warp", random_state=0)
        model.fit(train, epochs=int(epochs), num_threads=1)
        user_side, item_side = model.get_user_representations(), model.get_item_representations()

        def score(block: npt.NDArray) -> npt.NDArray:
            return user_side[1][block] @ item_side[1].T + item_side[0]

        return lambda: ranking.mapk(path, score)

    return fit
