"""Everybody gets what most people have."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor

from collie_core.interactions import BaseInteractions


@dataclass(frozen=True, eq=False)
class Popularity:
    """Scores every item by its number of interactions, the same for all users.

    Parameters
    ----------
    num_users : U.
    counts : (N,) float32.
    """

    num_users: int
    counts: Tensor

    @classmethod
    def fit(cls, train: BaseInteractions) -> Self:
        """Count the interactions of each item in `train`."""
        counts = np.bincount(train.mat.col, minlength=train.num_items).astype(np.float32)
        return cls(train.num_users, torch.from_numpy(counts))

    @property
    def num_items(self) -> int:
        """Number of items, N."""
        return len(self.counts)

    def score_all(self, users: Tensor) -> Tensor:
        """Score every item for `users` (B,): (B, N), one row that all share, not to be written."""
        return self.counts.expand(len(users), -1)

    def tensors(self) -> dict[str, Tensor]:
        """Return the counts."""
        return {"counts": self.counts}

    def config(self) -> dict[str, Any]:
        """Return the number of users."""
        return {"num_users": self.num_users}

    @classmethod
    def from_tensors(cls, config: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> Self:
        """Rebuild the model that gave `config` and `tensors`."""
        return cls(int(config["num_users"]), tensors["counts"])
