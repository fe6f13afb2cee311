"""Implicit interactions in memory: positives as given, negatives drawn."""

import sys
from copy import copy
from typing import Any, Self, overload

import numpy as np
from numpy.typing import NDArray

from collie_core.interactions.base import BaseInteractions, Row, Rows
from collie_core.interactions.batches import Batch, generator
from collie_core.interactions.ids import NAMED, Count, Ids, at_least
from collie_core.interactions.negative_sampling import NegativeSampler, Sampler, UniformSampler
from collie_core.interactions.sorted_keys import Keys

Negatives = NDArray[np.int64]
ManyImplicit = tuple[tuple[Ids, Ids], Negatives]
OneImplicit = tuple[tuple[int, int], Negatives]


class Interactions(BaseInteractions):
    """Implicit user-item interactions in memory, indexed with fresh negative samples.

    ``interactions[3]`` is ((user, item), negatives (K,)); a slice, a list or an array gives
    ((users (B,), items (B,)), negatives (B, K)). Negatives are drawn exactly uniformly from the
    items the user has not interacted with (see `NegativeSampler`), which costs the same however
    many they are.

    Parameters
    ----------
    mat, users, items, ratings, allow_missing_ids, remove_duplicate_user_item_pairs, num_users,
    num_items : see `BaseInteractions`.
    num_negative_samples : K; 0 draws none, for a loss over all items.
    check_num_negative_samples_is_valid : whether a user with fewer than K items left is refused.
        If not, such a user still gets true negatives, some of them more than once, and only a user
        who has every item gets items drawn from all.
    max_number_of_samples_to_consider : 0 asks for approximate negatives, drawn from all items
        without building tables. Any other number asks for exact ones; no number of attempts
        bounds them, unlike in the reference.
    seed : of the negatives; None draws one from the system's entropy.

    Raises
    ------
    ValueError
        See `BaseInteractions`; and if a user has fewer than K items left.
    """

    negative_sampler: Sampler
    _stream: tuple[int, ...]
    _rng: np.random.Generator

    def __init__(
        self,
        mat: Any = None,
        users: Any = None,
        items: Any = None,
        ratings: Any = None,
        num_negative_samples: int = 10,
        allow_missing_ids: bool = False,
        remove_duplicate_user_item_pairs: bool = True,
        num_users: Count = "infer",
        num_items: Count = "infer",
        check_num_negative_samples_is_valid: bool = True,
        max_number_of_samples_to_consider: int = 200,
        seed: int | None = None,
    ) -> None:
        self.num_negative_samples = at_least("num_negative_samples", num_negative_samples, 0)
        self.check_num_negative_samples_is_valid = check_num_negative_samples_is_valid
        self.max_number_of_samples_to_consider = at_least(
            "max_number_of_samples_to_consider", max_number_of_samples_to_consider, 0
        )
        super().__init__(
            mat=mat,
            users=users,
            items=items,
            ratings=ratings,
            allow_missing_ids=allow_missing_ids,
            remove_duplicate_user_item_pairs=remove_duplicate_user_item_pairs,
            num_users=num_users,
            num_items=num_items,
            seed=seed,
        )

    def approximate(self) -> Self:
        """Return a view of the same rows whose negatives are drawn from all items."""
        view = copy(self)
        view.max_number_of_samples_to_consider = 0
        view._restart_sampling()
        return view

    @overload
    def __getitem__(self, index: Row) -> OneImplicit: ...
    @overload
    def __getitem__(self, index: Rows | Batch) -> ManyImplicit: ...
    def __getitem__(self, index: Row | Rows | Batch) -> OneImplicit | ManyImplicit:
        if isinstance(index, Batch):
            return self._draw(index.rows, index.key.generator())
        if isinstance(index, (int, np.integer)):
            row = np.array([index])  # an array, so that a number out of range is an IndexError
            (users, items), negatives = self._draw(row, self._generator())
            return (int(users[0]), int(items[0])), negatives[0]
        return self._draw(index, self._generator())

    def _draw(self, rows: Any, rng: np.random.Generator) -> ManyImplicit:
        users = self.users[rows]
        negatives = self.negative_sampler.sample(users, self.num_negative_samples, rng)
        return (users, self.items[rows]), negatives

    def _generator(self) -> np.random.Generator:
        """Return the generator of direct indexing, reseeded where a DataLoader's worker starts."""
        loading = sys.modules.get(
            "torch.utils.data"
        )  # loaded in a worker; elsewhere it need not be
        worker = loading.get_worker_info() if loading is not None else None
        stream = () if worker is None else (worker.seed,)
        if stream != self._stream:
            # Workers are copies of one process: with its generator they would all draw the same.
            self._stream, self._rng = stream, generator(self.seed, *stream)
        return self._rng

    def _set_rows(
        self, users: Ids, items: Ids, ratings: NDArray[Any], cells: Keys | None = None
    ) -> None:
        super()._set_rows(users, items, ratings)
        self._restart_sampling(cells)

    def _restart_sampling(self, cells: Keys | None = None) -> None:
        self._stream = ()
        self._rng = generator(self.seed)
        if 0 in (self.max_number_of_samples_to_consider, self.num_negative_samples):
            self.negative_sampler = UniformSampler(self.num_items)
            return
        shape = self.num_users, self.num_items
        exact = self.negative_sampler = NegativeSampler(self.users, self.items, *shape, cells=cells)
        if self.check_num_negative_samples_is_valid:
            self._refuse_too_few_left(self.num_items - exact.degrees)

    def _refuse_too_few_left(self, left: NDArray[np.int64]) -> None:
        short = np.flatnonzero(left < self.num_negative_samples)
        if short.size:
            user = short[0]
            raise ValueError(
                f"num_negative_samples is {self.num_negative_samples}, but user {user} has "
                f"interacted with {self.num_items - left[user]} of {self.num_items} items, which "
                f"leaves {left[user]} (such users: {short.size}, first {short[:NAMED].tolist()}): "
                f"use fewer, or check_num_negative_samples_is_valid=False"
            )
