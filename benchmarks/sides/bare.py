"""The floor: the same work in a few bare lines of NumPy, torch or h5py."""

from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import torch
from scipy.sparse import csr_matrix

Work = Callable[[], object]


def top_n(path: Path) -> Work:
    """Multiply, and take the best 20 of each row, 1,024 users at a time."""
    arrays = np.load(path)
    users, items = (torch.from_numpy(arrays[f"{side}_factors"]) for side in ("user", "item"))
    return lambda: [(block @ items.T).topk(20) for block in users.split(1024)]


def hdf5(path: Path, num_draws: str = "0") -> Work:
    """Read both columns of the file once, in order, and draw so many items for each row."""
    num_items, each = int(np.load(path)["items"].max()) + 1, int(num_draws)

    def read() -> None:
        rng = np.random.default_rng(0)
        with h5py.File(path.with_suffix(".collie_core.h5")) as file:
            columns = file["interactions"]
            rows = min(len(columns[name][:]) for name in ("user_id", "item_id"))
        for start in range(0, rows, 1024):
            rng.integers(0, num_items, min(1024, rows - start) * each)

    return read


def baseline(path: Path, name: str) -> Work:
    """Solve for EASE's weights in float32."""
    if name != "EASE":
        raise ValueError(f"there is no bare {name}")
    arrays = np.load(path)
    users, items = arrays["train_users"], arrays["train_items"]
    have = csr_matrix((np.ones(len(users), np.float32), (users, items)))

    def solve() -> np.ndarray:
        gram = (have.T @ have).toarray()
        gram[np.diag_indices_from(gram)] += 300
        inverse = np.linalg.inv(gram)
        weights: np.ndarray = inverse / -np.diag(inverse)
        np.fill_diagonal(weights, 0)
        return weights

    return solve
