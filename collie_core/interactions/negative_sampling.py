"""Items that users have not interacted with, drawn for a whole batch at once."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from collie_core.interactions.ids import Ids, distinct

BITMAP_BYTES = 1 << 24  # 10^8 user-item cells; more would leave the processor's cache
BYTES_A_POSITIVE = 2  # of a shared table: one bit of at least 16 is set
REDRAWS = 2
BITS = np.uint8(1) << np.arange(8, dtype=np.uint8)


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
        return any_items(self.num_items, len(users) * num_samples, rng).reshape(-1, num_samples)


def any_items(num_items: int, count: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Return `count` items drawn uniformly: (count,) int64."""
    # to draw them as int64 takes three times as long
    return rng.integers(0, num_items, count, dtype=np.int32).astype(np.int64)


class NegativeSampler:
    """Draws exactly uniformly from the items that a user has not interacted with.

    Draws are independent, so an item may come twice. A draw is uniform over all items. Where it
    hits a positive, it is drawn again, and where it hits one `REDRAWS` times more, it is replaced
    by the r-th item that the user does not have, r uniform. Whichever draw is taken is uniform over
    what the user lacks, so their mixture is: no number of attempts bounds it, and it costs the same
    however many items the user has.

    Hits are found in a table of bits. Where one bit for each user and item fits, it says all;
    where not, each user's bits begin at a random place and wrap around, and the few that another
    user has set are told from hits by a binary search in the sorted positives.

    The r-th item that a user lacks is r + #{j : p_j - j <= r} for the sorted positives p_0 < p_1
    < …, because p_j - j is the number of items below p_j that the user lacks. One binary search
    over the keys user · (N+1) + (p_j - j), which are sorted, finds it for all rows at once.

    A user who has every item has no negative: the draw is uniform over all items.

    Parameters
    ----------
    users, items : (B,) the positives; duplicates are harmless.
    num_users, num_items : U and N.
    bitmap_bytes : how large the table of bits may be, though `BYTES_A_POSITIVE` are always allowed.

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
    ) -> None:
        self.num_items = num_items
        self._positives = distinct(users.astype(np.int64) * num_items + items)
        owners = self._positives // num_items
        self.degrees = np.bincount(owners, minlength=num_users)
        self._starts = np.cumsum(self.degrees) - self.degrees
        # positives = owner · N + p, so that adding the owner gives owner · (N+1) + p.
        self._keys = self._positives + owners
        self._keys -= np.arange(owners.size) - self._starts[owners]
        self._set_bits(owners, num_users, 8 * max(bitmap_bytes, BYTES_A_POSITIVE * owners.size))

    def _set_bits(self, owners: NDArray[np.int64], num_users: int, most: int) -> None:
        cells = num_users * self.num_items
        size = 1 << max(min(cells - 1, most).bit_length(), 3)
        self._is_shared = size < cells
        places = np.random.default_rng(0).integers(0, size, num_users) if self._is_shared else None
        self._places = np.arange(num_users) * self.num_items if places is None else places
        self._wrap = size - 1
        slots = self._places[owners] + self._positives - owners * self.num_items
        slots &= self._wrap
        self._bitmap = np.zeros(size >> 3, dtype=np.uint8)
        np.bitwise_or.at(self._bitmap, slots >> 3, BITS[slots & 7])

    def sample(
        self, users: NDArray[np.integer], num_samples: int, rng: np.random.Generator
    ) -> NDArray[np.int64]:
        """Return items that each of `users` (B,) has not interacted with: (B, K) int64."""
        owners = np.repeat(np.asarray(users, dtype=np.int64), num_samples)
        drawn = any_items(self.num_items, owners.size, rng)
        hits = self._hits(owners, drawn)
        for _ in range(REDRAWS):
            drawn[hits] = again = any_items(self.num_items, hits.size, rng)
            hits = hits[self._hits(owners[hits], again)]
        drawn[hits] = self._lacking(owners[hits], rng)
        return drawn.reshape(len(users), num_samples)

    def _hits(self, owners: NDArray[np.int64], drawn: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return which of the pairs are positives, as their numbers."""
        slots = self._places[owners]
        slots += drawn
        slots &= self._wrap
        bits = self._bitmap[slots >> 3]
        slots &= 7
        bits &= BITS[slots]
        hits: NDArray[np.int64] = np.flatnonzero(bits)
        if self._is_shared:
            cells = owners[hits] * self.num_items + drawn[hits]
            found = np.minimum(np.searchsorted(self._positives, cells), self._positives.size - 1)
            hits = hits[self._positives[found] == cells]
        return hits

    def _lacking(self, owners: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
        """Return one item that each of `owners` lacks, by rank inversion."""
        widths = self.num_items - self.degrees[owners]
        is_full = widths == 0
        ranks = rng.integers(0, np.where(is_full, self.num_items, widths))
        found = np.searchsorted(self._keys, owners * (self.num_items + 1) + ranks, side="right")
        shifts = found - self._starts[owners]
        return np.where(is_full, ranks, ranks + shifts)
