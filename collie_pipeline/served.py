"""What users are served: a model's ranking, and the popular items where it knows them not."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from collie_core.bundle import model_of, read_bundle
from collie_core.scorer import Scorer
from collie_pipeline.preparation import read_ids


@dataclass(frozen=True)
class Served:
    """A model that ranks for the users it knows, beside one that ranks for all others.

    Publications are made so: a user without history gets the popular items, whichever model won.
    """

    model: Scorer
    popularity: Scorer
    strangers: npt.NDArray[np.bool_]  # (U,) whether the model knows nothing of a user

    @property
    def num_users(self) -> int:
        """Number of users, U."""
        return self.model.num_users

    @property
    def num_items(self) -> int:
        """Number of items, N."""
        return self.model.num_items

    def score_all(self, users: Tensor) -> Tensor:
        """Score every item for `users` (B,): (B, N)."""
        strangers = torch.from_numpy(self.strangers)[users.long(), None]
        scores = self.model.score_all(users).float()
        if not strangers.any():
            return scores
        return torch.where(strangers, self.popularity.score_all(users).float(), scores)


@dataclass(frozen=True)
class Translated:
    """A model of another time, which scores the users and items of today by their outside ids.

    To users it does not know, `strangers`, all items are alike; items it does not know come last.
    """

    model: Scorer
    users: npt.NDArray[np.int64]  # (U,) the model's own number of today's users, -1 unknown
    items: npt.NDArray[np.int64]  # (N,) likewise of items

    @property
    def strangers(self) -> npt.NDArray[np.bool_]:
        """Whether the model does not know a user of today, (U,)."""
        return self.users < 0

    @property
    def num_users(self) -> int:
        """Number of users of today, U."""
        return len(self.users)

    @property
    def num_items(self) -> int:
        """Number of items of today, N."""
        return len(self.items)

    def score_all(self, users: Tensor) -> Tensor:
        """Score every item of today for `users` (B,): (B, N)."""
        theirs = torch.from_numpy(self.users)[users.long()]
        known = theirs >= 0
        old = self.model.score_all(theirs.clamp(min=0)).float()
        columns = torch.from_numpy(self.items)
        lowest = torch.finfo(torch.float32).min
        scores = torch.where(columns >= 0, old[:, columns.clamp(min=0)], lowest)
        return torch.where(known[:, None], scores, torch.zeros_like(scores))


def _numbers(theirs: Iterable[str], today: Iterable[str]) -> npt.NDArray[np.int64]:
    places = {name: number for number, name in enumerate(theirs)}
    return np.array([places.get(name, -1) for name in today], dtype=np.int64)


def translate(bundle: Path, today: Path) -> Translated:
    """Return the model in `bundle` for the users and items of the HDF5 file `today`."""
    old = read_bundle(bundle)
    user_ids, item_ids = read_ids(today)
    return Translated(
        model_of(old),
        _numbers(old.ids["user_id"], user_ids),
        _numbers(old.ids["item_id"], item_ids),
    )
