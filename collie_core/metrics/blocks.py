"""What a model is tried on, and what it says of some users at a time."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np
from scipy.sparse import csr_matrix
from torch import Tensor

from collie_core.interactions import BaseInteractions, Interactions
from collie_core.interactions.ids import at_least
from collie_core.metrics.ranked import Floats, Ranked, Whole, cells_of, precise, rank_relevant
from collie_core.metrics.ranking import METRICS, PerUser, shares
from collie_core.recommend import hide, scores_of
from collie_core.scorer import Scorer
from collie_core.scores import best


@dataclass(frozen=True)
class Trial:
    """What there is to find.

    Parameters
    ----------
    targets : (U, N), whose stored entries are the relevant items.
    excluded : (U, N), whose stored entries are no candidates; None stands for nothing.
    k : length of the lists.
    """

    targets: csr_matrix
    excluded: csr_matrix | None
    k: int

    @classmethod
    def of(cls, test_interactions: Interactions, model: Scorer, exclude: Any, k: int) -> Self:
        """Return the trial of `model`; for the errors see `evaluate_per_user`."""
        at_least("k", k, 1)
        if not isinstance(test_interactions, Interactions):
            raise TypeError(
                f"test_interactions is {type(test_interactions).__name__}, must be Interactions: "
                "read_hdf5 returns them of a file, explicit_evaluate_in_batches takes ratings"
            )
        refuse_other_shape(test_interactions, model)
        targets = test_interactions.mat.tocsr()
        return cls(targets, _excluded(exclude, targets.shape), k)

    @cached_property
    def information(self) -> Floats:
        """Bits of surprise at each item (N,), where `excluded` is what users know, or `targets`.

        An item's probability is its share of the known pairs, with one pair more for every item:
        one that nobody knows surprises most, but not without end.
        """
        known = self.targets if self.excluded is None else self.excluded
        pairs = np.bincount(cells_of(known) % known.shape[1], minlength=known.shape[1]) + 1
        bits: Floats = -np.log2(pairs / pairs.sum())
        return bits

    def batches(self, batch_size: int) -> list[Whole]:
        """Return the users with something to find, `batch_size` at a time."""
        at_least("batch_size", batch_size, 1)
        users = np.flatnonzero(np.diff(self.targets.indptr))
        return [users[start : start + batch_size] for start in range(0, len(users), batch_size)]

    def blocks(self, model: Scorer, batches: Iterable[Whole]) -> "Iterator[Block]":
        """Yield what `model` says of each batch of users."""
        for users in batches:
            yield Block(self, users, scores_of(model, users))


def refuse_other_shape(test_interactions: BaseInteractions, model: Scorer) -> None:
    """Raise a ValueError if the users and items are not as many as the model's."""
    shape = test_interactions.num_users, test_interactions.num_items
    if shape != (model.num_users, model.num_items):
        raise ValueError(
            f"test_interactions has {shape} users and items, must have the model's "
            f"{(model.num_users, model.num_items)}: give both the same num_users and num_items"
        )


def _excluded(exclude: Any, shape: tuple[int, int]) -> csr_matrix | None:
    if exclude is None:
        return None
    matrix: Any = getattr(exclude, "mat", exclude)
    if not hasattr(matrix, "tocsr"):
        raise TypeError(
            f"exclude is {type(exclude).__name__}, must be Interactions or a sparse matrix: "
            "read_hdf5 returns the first of a file"
        )
    if matrix.shape != shape:
        raise ValueError(
            f"exclude has {matrix.shape} users and items, must have {shape}, as the test has: "
            "give both the same num_users and num_items"
        )
    return csr_matrix(matrix)


@dataclass(frozen=True)
class Block:
    """Users (B,) and their scores (B, N); what follows is worked out when first asked for."""

    trial: Trial
    users: Whole
    scores: Tensor

    @cached_property
    def hidden(self) -> csr_matrix | None:
        """What is excluded for these users, (B, N)."""
        return None if self.trial.excluded is None else self.trial.excluded[self.users]

    @cached_property
    def ranked(self) -> Ranked:
        """Where the relevant items stand."""
        return rank_relevant(self.scores, self.trial.targets[self.users], self.hidden)

    @cached_property
    def preds(self) -> Tensor:
        """The scores (B, N), -inf at what is excluded."""
        scores = precise(self.scores)
        return scores if self.hidden is None else hide(scores, self.hidden)

    @cached_property
    def lists(self) -> Whole:
        """The first K items of each user (B, K), -1 where there are no more."""
        items: Whole = best(self.preds, self.trial.k)[0].cpu().numpy()
        return items


Column = Callable[[Block], Floats]  # a metric of each user (B,), NaN where there is none


def _novelty(block: Block) -> Floats:
    is_item = block.lists >= 0
    bits = np.where(is_item, block.trial.information[block.lists], 0.0).sum(axis=1)
    return shares(bits, is_item.sum(axis=1))


def _on_ranks(metric: PerUser) -> Column:
    def column(block: Block) -> Floats:
        return metric(block.ranked, block.trial.k)

    return column


COLUMNS: Mapping[str, Column] = {
    **{name: _on_ranks(metric) for name, metric in METRICS.items()},
    "novelty": _novelty,
}
