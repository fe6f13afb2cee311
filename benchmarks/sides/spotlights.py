"""Maciej Kula's Spotlight, of which there is no package: see README.md."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from spotlight.factorization.implicit import ImplicitFactorizationModel
from spotlight.interactions import Interactions

BATCH, NEGATIVES = 1024, 10


def epoch(path: Path) -> Callable[[], object]:
    """Train one epoch more, 32 dimensions and the adaptive hinge; a negative may be any item."""
    arrays = np.load(path)
    users, items = arrays["train_users"], arrays["train_items"]
    shape = int(arrays["users"].max()) + 1, int(arrays["items"].max()) + 1
    train = Interactions(users, items, num_users=shape[0], num_items=shape[1])
    model = ImplicitFactorizationModel(
        loss="adaptive_hinge",
        embedding_dim=32,
        n_iter=1,
        batch_size=BATCH,
        num_negative_samples=NEGATIVES,
        random_state=np.random.RandomState(0),
    )
    return lambda: model.fit(train)
