"""Ours and the original, by the same calls: whichever of the two this interpreter has."""

from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import ranking  # beside this file
import torch

IS_OURS = find_spec("collie_core") is not None
NAME = "collie_core" if IS_OURS else "collie"
interactions, model, metrics, splits, utils = (
    import_module(f"{NAME}.{part}")
    for part in ("interactions", "model", "metrics", "cross_validation", "utils")
)
Work = Callable[[], object]
BATCH = 1024
# the original's default scheduler asks torch for an argument that is no more
TRAINING: dict[str, Any] = {"lr": 1e-2, "loss": "adaptive", "lr_scheduler_func": None}
LOADERS = {
    "exact": "InteractionsDataLoader",
    "approximate": "ApproximateNegativeSamplingInteractionsDataLoader",
}


def _interactions(path: Path, part: str = "") -> Any:
    arrays = np.load(path)
    counts = {f"num_{name}": int(arrays[name].max()) + 1 for name in ("users", "items")}
    columns = {name: arrays[f"{part}{name}"] for name in ("users", "items")}
    return interactions.Interactions(**columns, **counts, allow_missing_ids=True, seed=0)


def _loader(train: Any, kind: str = "InteractionsDataLoader") -> Any:
    of = {"interactions": train, "batch_size": BATCH, "shuffle": True, "num_workers": 0}
    return getattr(interactions, kind)(**of)


def construction(path: Path) -> Work:
    """Make interactions of columns in memory."""
    arrays = np.load(path)
    users, items = arrays["users"], arrays["items"]
    return lambda: interactions.Interactions(users=users, items=items, allow_missing_ids=True)


def split(path: Path) -> Work:
    """Split by user, in one process."""
    data = _interactions(path)
    return lambda: splits.stratified_split(data, val_p=0.1, test_p=0.1, processes=0, seed=0)


def loader(path: Path, kind: str = "InteractionsDataLoader") -> Work:
    """Load an epoch of batches with their negatives."""
    batches = _loader(_interactions(path, "train_"), kind)
    return lambda: sum(1 for _ in batches)


def hdf5(path: Path) -> Work:
    """Load an epoch of shuffled batches from a file."""
    import pandas as pd

    arrays, file = np.load(path), path.with_suffix(f".{NAME}.h5")
    if not file.exists():
        frame = pd.DataFrame({"user_id": arrays["users"], "item_id": arrays["items"]})
        utils.pandas_df_to_hdf5(frame, file, "interactions")
    data = interactions.HDF5Interactions(file, user_col="user_id", item_col="item_id", seed=0)
    of = {"hdf5_interactions": data, "batch_size": BATCH, "shuffle": True, "num_workers": 0}
    batches = interactions.HDF5InteractionsDataLoader(**of)
    return lambda: sum(1 for _ in batches)


def _epochs(made: Any, epochs: int = 1) -> None:
    quiet = {"verbosity": 0, "weights_summary": None, "early_stopping_patience": None}
    model.CollieMinimalTrainer(made, max_epochs=epochs, gpus=False, logger=None, **quiet).fit(made)


def epoch(path: Path, name: str = "MatrixFactorizationModel", kind: str = "exact") -> Work:
    """Train one epoch more of a model of 32 dimensions with the reference's maths."""
    train = _loader(_interactions(path, "train_"), LOADERS[kind])
    sizes = {
        "NeuralCollaborativeFiltering": {"embedding_dim": 8, "num_layers": 3},
        "NonlinearMatrixFactorizationModel": {"user_embedding_dim": 32, "item_embedding_dim": 32},
    }
    made = getattr(model, name)(train=train, **TRAINING, **sizes.get(name, {"embedding_dim": 32}))
    return lambda: _epochs(made)


def quality(path: Path, epochs: str, kind: str = "exact") -> Any:
    """Fit matrix factorisation with 64 dimensions."""
    train = _interactions(path, "train_")

    def fit() -> Callable[[], float]:
        torch.manual_seed(0)
        made = model.MatrixFactorizationModel(
            train=_loader(train, LOADERS[kind]), embedding_dim=64, **TRAINING
        )
        _epochs(made, int(epochs))
        made.eval()
        every = torch.arange(made.hparams["num_items"])

        def score(block: np.ndarray) -> np.ndarray:
            users = torch.from_numpy(block).long()
            with torch.no_grad():
                pairs = made(users.repeat_interleave(len(every)), every.repeat(len(users)))
            return pairs.reshape(len(users), -1).numpy()

        return lambda: ranking.mapk(path, score)

    return fit


def evaluation(path: Path, name: str = "MatrixFactorizationModel") -> Work:
    """Rank all items for all users, four metrics (the original has three)."""
    made = getattr(model, name)(train=_interactions(path, "train_"), embedding_dim=32)
    made.eval()
    test = _interactions(path, "test_")
    chosen = [metrics.auc, metrics.mapk, metrics.mrr, *([metrics.ndcg] if IS_OURS else [])]
    size = 1024 if IS_OURS else 20  # the default of the original, which is no faster with more
    return lambda: metrics.evaluate_in_batches(chosen, test, made, batch_size=size, verbose=False)


class Factors:
    """A scorer of given factors."""

    def __init__(self, users: torch.Tensor, items: torch.Tensor) -> None:
        self.users, self.items = users, items
        self.num_users, self.num_items = len(users), len(items)

    def score_all(self, users: torch.Tensor) -> torch.Tensor:
        """Score every item for `users` (B,): (B, N)."""
        return self.users[users] @ self.items.T


def top_n(path: Path) -> Work:
    """List the best 20 items of all users."""
    arrays = np.load(path)
    scorer = Factors(*(torch.from_numpy(arrays[f"{side}_factors"]) for side in ("user", "item")))
    recommend = import_module(f"{NAME}.recommend")
    return lambda: recommend.top_n(scorer, k=20)


def baseline(path: Path, name: str) -> Work:
    """Fit a baseline of the default settings."""
    train = _interactions(path, "train_")
    return lambda: getattr(import_module(f"{NAME}.baselines"), name).fit(train)
