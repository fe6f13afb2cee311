"""Items that users have not interacted with, drawn for a whole batch at once."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from collie_core.interactions.ids import Ids

BITMAP_BYTES = 1 << 27  # 10^9 user-item cells; beyond, rank inversion alone needs no table of cells


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
        return rng.integers(0, self.num_items, (len(users), num_samples))


class NegativeSampler:
    """Draws exactly uniformly from the items that a user has not interacted with.

    Draws are independent, so an item may come twice. With N items and `degree` positives of the
    user, a first draw is uniform over all items. Where it hits a positive, it is replaced by the
    r-th item that the user does not have, r uniform in 0..N-degree-1. A negative item thus has
    the probability 1/N + (degree/N) · 1/(N-degree) = 1/(N-degree), as it should: one redraw is
    exact, no matter how many items the user has. Without a bitmap to tell a hit, the second draw
    is used for all.

    The r-th item that a user lacks is r + #{j : p_j - j <= r} for the sorted positives p_0 < p_1
    < …, because p_j - j is the number of items below p_j that the user lacks. One binary search
    over the keys user · (N+1) + (p_j - j), which are sorted, finds it for all rows at once.

    A user who has every item has no negative: the draw is uniform over all items.

    Parameters
    ----------
    users, items : (B,) the positives; duplicates are harmless.
    num_users, num_items : U and N.
    bitmap_bytes : how large a table of U · N bits may be.

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
        positives = np.unique(users.astype(np.int64) * num_items + items)
        owners = positives // num_items
        self.degrees = np.bincount(owners, minlength=num_users)
        self._starts = np.cumsum(self.degrees) - self.degrees
        ranks = np.arange(positives.size) - self._starts[owners]
        # positives = owner · N + p, so that adding the owner gives owner · (N+1) + p.
        self._keys = positives + owners - ranks
        fits = num_users * num_items <= 8 * bitmap_bytes
        self._bitmap = _bitmap(positives, num_users * num_items) if fits else None

    def sample(
        self, users: NDArray[np.integer], num_samples: int, rng: np.random.Generator
    ) -> NDArray[np.int64]:
        """Return items that each of `users` (B,) has not interacted with: (B, K) int64."""
        owners = np.repeat(np.asarray(users, dtype=np.int64), num_samples)
        if self._bitmap is None:
            drawn = self._lacking(owners, rng)
        else:
            drawn = rng.integers(0, self.num_items, owners.size)
            hits = np.flatnonzero(self._is_positive(self._bitmap, owners, drawn))
            drawn[hits] = self._lacking(owners[hits], rng)
        return drawn.reshape(len(users), num_samples)

    def _is_positive(
        self, bitmap: NDArray[np.uint8], owners: NDArray[np.int64], drawn: NDArray[np.int64]
    ) -> NDArray[np.uint8]:
        cells = owners * self.num_items + drawn
        hits: NDArray[np.uint8] = (bitmap[cells >> 3] >> (cells & 7).astype(np.uint8)) & 1
        return hits

    def _lacking(self, owners: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
        """Return one item that each of `owners` lacks, by rank inversion."""
        widths = self.num_items - self.degrees[owners]
        is_full = widths == 0
        ranks = rng.integers(0, np.where(is_full, self.num_items, widths))
        found = np.searchsorted(self._keys, owners * (self.num_items + 1) + ranks, side="right")
        shifts = found - self._starts[owners]
        return np.where(is_full, ranks, ranks + shifts)


def _bitmap(positives: NDArray[np.int64], num_cells: int) -> NDArray[np.uint8]:
    """Return bits of the cells user · N + item, set for `positives`, which are sorted."""
    bitmap = np.zeros((num_cells + 7) // 8, dtype=np.uint8)
    np.bitwise_or.at(bitmap, positives >> 3, np.uint8(1) << (positives & 7).astype(np.uint8))
    return bitmap
