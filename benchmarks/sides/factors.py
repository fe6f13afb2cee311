"""Given factors as a scorer, for any side that has torch."""

from pathlib import Path

import numpy as np
import torch


class Factors:
    """A product of factors.

    Parameters
    ----------
    path : a file with `user_factors` (U, D) and `item_factors` (N, D).
    """

    def __init__(self, path: Path) -> None:
        with np.load(path) as found:
            self.users, self.items = (
                torch.from_numpy(found[f"{side}_factors"]) for side in ("user", "item")
            )
        self.num_users, self.num_items = len(self.users), len(self.items)

    def score_all(self, users: torch.Tensor) -> torch.Tensor:
        """Score every item for `users` (B,): (B, N)."""
        return self.users[users] @ self.items.T
