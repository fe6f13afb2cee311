"""What a model answers once it is trained: scores of pairs and rankings, and who is alike."""

from abc import ABC, abstractmethod
from typing import ClassVar, cast

import numpy as np
import pandas as pd
import torch
from pytorch_lightning import LightningModule
from torch import Tensor

from collie_core.model.blocks import cosine_to_all
from collie_core.model.loading import Loader
from collie_core.recommend import scoring

Side = tuple[Tensor, ...]


class Scoring(LightningModule, ABC):
    """The answering half of a model: all of it follows from `forward`.

    Attributes
    ----------
    pairs_at_once : how many pairs are scored in one piece, which bounds memory; a layer of 128
        outputs takes 64 MiB of the default.
    """

    pairs_at_once: ClassVar[int] = 1 << 17
    train_loader: Loader | None
    val_loader: Loader | None

    @abstractmethod
    def forward(self, users: Tensor, items: Tensor) -> Tensor:
        """Score the pairs of `users` and `items`, both (B,): (B,), higher is better."""

    @property
    def num_users(self) -> int:
        """Number of users, U."""
        return int(self.hparams["num_users"])

    @property
    def num_items(self) -> int:
        """Number of items, N."""
        return int(self.hparams["num_items"])

    def score_candidates(self, users: Tensor, items: Tensor) -> Tensor:
        """Score for each of `users` (B,) its own row of `items` (B, C): (B, C)."""
        pairs = self(users.repeat_interleave(items.shape[1]), items.flatten())
        return cast("Tensor", pairs).reshape(items.shape)

    def score_all(self, users: Tensor) -> Tensor:
        """Score every item for `users` (B,): (B, N), higher is better."""
        every = torch.arange(self.num_items, device=self.device)
        blocks = self._blocks(users.to(self.device), self.num_items)
        return self._joined(
            [self.score_candidates(block, every.expand(len(block), -1)) for block in blocks]
        )

    def _blocks(self, users: Tensor, pairs_a_user: int) -> tuple[Tensor, ...]:
        return torch.split(users, max(1, self.pairs_at_once // pairs_a_user))

    def _joined(self, scores: list[Tensor]) -> Tensor:
        if len(scores) == 1:  # which `cat` would copy
            return scores[0]
        return torch.cat(scores) if scores else torch.empty(0, self.num_items, device=self.device)

    def get_item_predictions(
        self, user_id: int = 0, unseen_items_only: bool = False, sort_values: bool = True
    ) -> "pd.Series[float]":
        """Return the scores of all items for `user_id`, by item.

        Parameters
        ----------
        user_id : 0..U-1.
        unseen_items_only : leave out items that the user has in the training or validation data.
        sort_values : the best first, equal scores by item; else by item.

        Raises
        ------
        ValueError
            If there is no such user, or unseen items are asked of a model without its data.
        """
        user = self._known("user_id", user_id, self.num_users)
        with scoring(self):
            scores = self.score_all(torch.tensor([user]))[0]
        seen = self._seen("row", user, "col") if unseen_items_only else []
        return _by_number(scores, seen, sort_values)

    def get_user_predictions(
        self, item_id: int = 0, unseen_users_only: bool = False, sort_values: bool = True
    ) -> "pd.Series[float]":
        """Return the scores of `item_id` for all users, by user.

        Parameters
        ----------
        item_id : 0..N-1.
        unseen_users_only : leave out users who have the item in the training or validation data.
        sort_values : the best first, equal scores by user; else by user.

        Raises
        ------
        ValueError
            See `get_item_predictions`.
        """
        item = self._known("item_id", item_id, self.num_items)
        users = torch.arange(self.num_users, device=self.device)
        with scoring(self):
            blocks = self._blocks(users, 1)
            scores = torch.cat([self(block, torch.full_like(block, item)) for block in blocks])
        seen = self._seen("col", item, "row") if unseen_users_only else []
        return _by_number(scores, seen, sort_values)

    def _training_data(self) -> Loader:
        if self.train_loader is None:
            raise ValueError("train_loader is None: a loaded model has no data, set it first")
        return self.train_loader

    def _known(self, name: str, number: int, count: int) -> int:
        if not 0 <= number < count:
            raise ValueError(
                f"{name} is {number}, must be in 0..{count - 1}: the model knows these"
            )
        return int(number)

    def _seen(self, given: str, number: int, wanted: str) -> list[int]:
        """Return what the data have with `number`, a "row" or "col" of their matrix."""
        seen: set[int] = set()
        for loader in (self._training_data(), self.val_loader):
            if loader is not None:
                matrix = loader.mat
                seen.update(getattr(matrix, wanted)[getattr(matrix, given) == number].tolist())
        return sorted(seen)

    def item_item_similarity(self, item_id: int) -> "pd.Series[float]":
        """Return the cosine of `item_id`'s vector with every item's, best first, itself among them.

        Raises
        ------
        ValueError
            If there is no such item.
        """
        item = self._known("item_id", item_id, self.num_items)
        with scoring(self):
            vectors = self._get_item_embeddings()
            return most_alike(vectors[item], vectors)

    def user_user_similarity(self, user_id: int) -> "pd.Series[float]":
        """Return the cosine of `user_id`'s vector with every user's, best first, itself among them.

        Raises
        ------
        ValueError
            If there is no such user.
        """
        user = self._known("user_id", user_id, self.num_users)
        with scoring(self):
            vectors = self._get_user_embeddings()
            return most_alike(vectors[user], vectors)

    def _get_item_embeddings(self) -> Tensor:
        """Return the items' vectors (N, D)."""
        raise NotImplementedError(f"{type(self).__name__} must override _get_item_embeddings")

    def _get_user_embeddings(self) -> Tensor:
        """Return the users' vectors (U, D)."""
        raise NotImplementedError(f"{type(self).__name__} must override _get_user_embeddings")


class TwoSided(Scoring):
    """A model that works out what it knows of a user and of an item apart, and then matches both.

    Each side is worked out once, however many of the other it meets: `match` broadcasts.
    """

    @abstractmethod
    def user_side(self, users: Tensor) -> Side:
        """Return what is known of `users` (...): tensors of shape (..., their size)."""

    @abstractmethod
    def item_side(self, items: Tensor) -> Side:
        """Return what is known of `items` (...): tensors of shape (..., their size)."""

    @abstractmethod
    def match(self, user: Side, item: Side) -> Tensor:
        """Score users' sides against items', whose leading dimensions broadcast: (...)."""

    def forward(self, users: Tensor, items: Tensor) -> Tensor:
        """Score the pairs of `users` and `items`, both (B,): (B,), higher is better."""
        return self.match(self.user_side(users), self.item_side(items))

    def score_candidates(self, users: Tensor, items: Tensor) -> Tensor:
        """Score for each of `users` (B,) its own row of `items` (B, C): (B, C)."""
        return self.forward(users[:, None], items)

    def score_all(self, users: Tensor) -> Tensor:
        """Score every item for `users` (B,): (B, N), higher is better."""
        items = tuple(part[None] for part in self.every_item_side())
        blocks = self._blocks(users.to(self.device), self.num_items)
        return self._joined([self.match(self.user_side(each[:, None]), items) for each in blocks])

    def every_item_side(self) -> Side:
        """Return what is known of all items: tensors of shape (N, their size)."""
        return self.item_side(torch.arange(self.num_items, device=self.device))

    def _get_item_embeddings(self) -> Tensor:
        return self.every_item_side()[0]

    def _get_user_embeddings(self) -> Tensor:
        return self.user_side(torch.arange(self.num_users, device=self.device))[0]


def most_alike(vector: Tensor, vectors: Tensor) -> "pd.Series[float]":
    """Return the cosine of `vector` (D,) with each of `vectors` (N, D), by number, best first."""
    return _by_number(cosine_to_all(vector, vectors), [], is_sorted=True)


def _by_number(values: Tensor, left_out: list[int], is_sorted: bool) -> "pd.Series[float]":
    series = pd.Series(values.detach().cpu().numpy().astype(np.float32), name="score")
    if left_out:
        series = series.drop(left_out)
    return series.sort_values(ascending=False, kind="stable") if is_sorted else series
