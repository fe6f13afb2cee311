"""Items that users have not interacted with, drawn for a whole batch at once."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from collie_core.interactions.drawing import below
from collie_core.interactions.ids import Ids, distinct
from collie_core.interactions.sorted_keys import Keys, SortedKeys

BITMAP_BYTES = 1 << 24  # 10^8 user-item cells; more would leave the processor's cache
BYTES_A_POSITIVE = 2  # of a shared table: one bit of at least 16 is set
REDRAWS = 2
ONE, SEVEN = np.uint8(1), np.uint8(7)


class Sampler(Protocol):
    """Anything that draws items for users."""

    def sample(
        self, users: NDArray[np.integer], num_samples: int, rng: np.random.Generator
    ) -> NDArray[np.int64]:
        """Return `num_samples` items for each of `users` (B,): (B, K) int64."""


class UniformSampler:
    """Draws from all items alike: approximate negatives, which may be positives, at no cost."""

    def __init__(self, num_items: int) -> None:
        self.num_items = num_items

    def sample(
        self, users: NDArray[np.integer], num_samples: int, rng: np.random.Generator
    ) -> NDArray[np.int64]:
        """Return items drawn uniformly for each of `users` (B,): (B, K) int64."""
        return below(self.num_items, len(users) * num_samples, rng).reshape(len(users), num_samples)


class NegativeSampler:
    """Draws exactly uniformly from the items that a user has not interacted with.

    Draws are independent, so an item may come twice. A draw is uniform over all items. Where it
    hits a positive, it is drawn again, and where it hits one `REDRAWS` times more, it is replaced
    by the r-th item that the user lacks, r uniform. Whichever draw is taken is uniform over what
    the user lacks, so their mixture is: no number of attempts bounds it, and it costs the same
    however many items the user has.

    Hits are found in a table of bits. Where one bit for each user and item fits, it says all;
    where not, each user's bits begin at a random place and wrap around, and the few that another
    user has set are told from hits by a search in the sorted positives.

    The r-th item that a user lacks is found among all cells of users and items that are no
    positives: the q-th of these is q + #{j : c_j - j <= q} for the sorted positive cells c_0 < c_1
    < …, because c_j - j is the number of those below c_j.

    A user who has every item has no negative: the draw is uniform over all items.

    Parameters
    ----------
    users, items : (B,) the positives; duplicates are harmless.
    num_users, num_items : U and N.
    bitmap_bytes : how large the table of bits may be, though `BYTES_A_POSITIVE` are always allowed.
    cells : the distinct user · N + item of the positives, sorted, where they are known already.

    Attributes
    ----------
    degrees : (U,) int64, the number of distinct items of each user.
    """

    def __init__(
        self,
        users: Ids,
        items: Ids,
        num_users: int,
        num_items: int,
        bitmap_bytes: int = BITMAP_BYTES,
        cells: Keys | None = None,
    ) -> None:
        self.num_items = num_items
        if cells is None:
            cells = distinct(users.astype(np.int64) * num_items + items)
        edges = np.arange(num_users + 1) * num_items
        self.degrees = degrees = np.diff(np.searchsorted(cells, edges))
        is_full = degrees == num_items
        if is_full.any():  # as if they had none, so that any draw will do
            cells, degrees = cells[np.repeat(~is_full, degrees)], np.where(is_full, 0, degrees)
        self._widths = num_items - degrees
        self._first_lacking = edges[:-1] - np.cumsum(degrees) + degrees
        self._positives = SortedKeys(cells)
        self._set_bits(cells, degrees, 8 * max(bitmap_bytes, BYTES_A_POSITIVE * cells.size))

    def _set_bits(self, cells: Keys, degrees: NDArray[np.int64], most: int) -> None:
        size = 1 << max(min(degrees.size * self.num_items - 1, most).bit_length(), 3)
        self._is_shared = size < degrees.size * self.num_items
        self._wrap = size - 1
        own = self._places = np.arange(degrees.size) * self.num_items
        if self._is_shared:
            self._places = np.random.default_rng(0).integers(0, size, degrees.size)
            cells = cells + np.repeat(self._places - own, degrees)
            cells &= self._wrap
            cells = distinct(cells.astype(np.int32) if size <= 1 << 31 else cells)
        self._bitmap = np.zeros(size >> 3, dtype=np.uint8)
        # each bit is there once, so that a sum is as good as the slower "or"
        np.add.at(self._bitmap, cells >> 3, ONE << (cells.astype(np.uint8) & SEVEN))

    def sample(
        self, users: NDArray[np.integer], num_samples: int, rng: np.random.Generator
    ) -> NDArray[np.int64]:
        """Return items that each of `users` (B,) has not interacted with: (B, K) int64."""
        owners = np.asarray(users, dtype=np.int64)
        drawn = below(self.num_items, owners.size * num_samples, rng)
        hits = self._hits(owners, drawn.reshape(-1, num_samples))
        for _ in range(REDRAWS):
            drawn[hits] = again = below(self.num_items, hits.size, rng)
            hits = hits[self._hits(owners[hits // num_samples], again[:, None])]
        if hits.size:
            drawn[hits] = self._lacking(owners[hits // num_samples], rng)
        return drawn.reshape(-1, num_samples)

    def _hits(self, owners: Keys, drawn: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return which of `drawn` (B, K) are positives of `owners` (B,), as numbers in 0..BK-1."""
        slots = (self._places[owners][:, None] + drawn).ravel()
        if self._is_shared:
            slots &= self._wrap
        bits = self._bitmap[slots >> 3] >> (slots.astype(np.uint8) & SEVEN)
        hits: NDArray[np.int64] = np.flatnonzero((bits & ONE).view(np.bool_))
        if self._is_shared:
            cells = owners[hits // drawn.shape[1]] * self.num_items + drawn.ravel()[hits]
            hits = hits[self._positives.contain(cells)]
        return hits

    def _lacking(self, owners: Keys, rng: np.random.Generator) -> NDArray[np.int64]:
        """Return one item that each of `owners` (B,) lacks, by rank inversion: (B,)."""
        # of 53 random bits, so that no rank of 2^31 is favoured by more than 2^-22 of its share
        ranks: NDArray[np.int64] = (rng.random(owners.size) * self._widths[owners]).astype(np.int64)
        ranks += self._first_lacking[owners]
        return ranks + self._positives.skipped(ranks) - owners * self.num_items
