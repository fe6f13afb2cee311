"""Ours and the original, by the same calls."""

from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import numpy as np
from either import (
    IS_OURS,
    NAME,
    interactions,
    made_hdf5_loader,
    made_interactions,
    made_loader,
    metrics,
    model,
    splits,
)
from factors import Factors
from preparing import preparation
from trainings import epoch, growing, lightning, race

__all__ = ["epoch", "growing", "lightning", "preparation", "race"]
Work = Callable[[], object]


def construction(path: Path) -> Work:
    """Make interactions of columns in memory."""
    arrays = np.load(path)
    users, items = arrays["users"], arrays["items"]
    return lambda: interactions.Interactions(users=users, items=items, allow_missing_ids=True)


def split(path: Path) -> Work:
    """Split by user, in one process."""
    data = made_interactions(path)
    return lambda: splits.stratified_split(data, val_p=0.1, test_p=0.1, processes=0, seed=0)


def loader(path: Path) -> Work:
    """Load an epoch of batches with their exact negatives."""
    batches = made_loader(made_interactions(path, "train_"))
    return lambda: sum(1 for _ in batches)


def hdf5(path: Path) -> Work:
    """Load an epoch of shuffled batches from a file."""
    batches = made_hdf5_loader(path)
    return lambda: sum(1 for _ in batches)


def evaluation(path: Path, name: str = "MatrixFactorizationModel") -> Work:
    """Rank all items for all users, four metrics (the original has three)."""
    made = getattr(model, name)(train=made_interactions(path, "train_"), embedding_dim=32)
    made.eval()
    test = made_interactions(path, "test_")
    chosen = [metrics.auc, metrics.mapk, metrics.mrr, *([metrics.ndcg] if IS_OURS else [])]
    size = 1024 if IS_OURS else 20  # the default of the original, which is no faster with more
    return lambda: metrics.evaluate_in_batches(chosen, test, made, batch_size=size, verbose=False)


def top_n(path: Path) -> Work:
    """List the best 20 items of all users."""
    scorer = Factors(path)
    recommend = import_module(f"{NAME}.recommend")
    return lambda: recommend.top_n(scorer, k=20)


def baseline(path: Path, name: str) -> Work:
    """Fit a baseline of the default settings."""
    train = made_interactions(path, "train_")
    return lambda: getattr(import_module(f"{NAME}.baselines"), name).fit(train)
