"""LensKit."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import racing  # beside this file
from lenskit.als import ImplicitMFScorer
from lenskit.data import Dataset, from_interactions_df
from lenskit.knn import ItemKNNScorer
from lenskit.training import TrainingOptions

Work = Callable[[], object]
# its defaults, weight 40 and regularization 0.1, reach less
ALS: dict[str, Any] = {"embedding_size": 64, "weight": 1.0, "regularization": 20.0}


def _train(path: Path) -> Dataset:
    arrays = np.load(path)
    columns = {f"{side}_id": arrays[f"train_{side}s"] for side in ("user", "item")}
    return from_interactions_df(pd.DataFrame(columns))


def baseline(path: Path, name: str) -> Work:
    """Fit the neighbours of items, as many as ours keeps."""
    if name != "ItemKNN":
        raise ValueError(f"there is no {name}")
    have = _train(path)
    return lambda: ItemKNNScorer(feedback="implicit", save_nbrs=400).train(have)


def race(path: Path, seconds: str, laps: str) -> Work:
    """Fit ALS with 64 dimensions, an epoch a lap."""
    have, num_items = _train(path), int(np.load(path)["items"].max()) + 1
    options = TrainingOptions(rng=0)

    def run() -> dict[str, Any]:
        timed, scorer = racing.Race(path, seconds, laps), ImplicitMFScorer(**ALS)
        is_over = False
        timed.start()
        trainer = scorer.create_trainer(have, options)
        while not is_over:
            trainer.train_epoch()
            is_over = timed.lap(scores_of(scorer, num_items))
        return timed.result()

    return run


def scores_of(scorer: ImplicitMFScorer, num_items: int) -> racing.Score:
    """Return what scores all items for users (B,), those that it has not met below all others."""
    known = scorer.items.ids()

    def score(block: npt.NDArray) -> npt.NDArray:
        rows = scorer.users.numbers(block)
        scores = np.full((len(block), num_items), -np.inf, dtype=np.float32)
        scores[:, known] = scorer.user_embeddings[rows] @ scorer.item_embeddings.T
        return scores

    return score
