"""Sorted numbers, searched a block at a time."""

import numpy as np
from numpy.typing import NDArray

Keys = NDArray[np.int64]
WIDTH = 16  # keys of a block: two lines of the cache
LEAST, MOST = np.iinfo(np.int64).min, np.iinfo(np.int64).max


class SortedKeys:
    """Distinct whole numbers in order, found by the block that they are in.

    A number's block is found by its upper bits, which leave a few blocks to choose from: most steps
    of a binary search in millions of keys would each wait for memory.

    Parameters
    ----------
    keys : (B,) sorted, all different.
    """

    def __init__(self, keys: Keys) -> None:
        padded = np.full(max(-(-keys.size // WIDTH), 1) * WIDTH, MOST)
        padded[: keys.size] = keys
        self._blocks = padded.reshape(-1, WIDTH)
        self._firsts = self._blocks[:, 0].copy()
        # below key j there are key_j - j numbers that are no keys
        self._first_gaps = self._firsts - np.arange(0, padded.size, WIDTH)
        self._firsts[0] = self._first_gaps[0] = LEAST  # what is below all keys is in block 0
        self._set_buckets(int(keys[-1]) + 1 if keys.size else 1)

    def _set_buckets(self, span: int) -> None:
        """Part the numbers below `span` into about as many buckets as there are blocks."""
        self._shift = max(span.bit_length() - self._firsts.size.bit_length(), 0)
        self._last = span >> self._shift
        edges = np.arange(self._last + 2) << self._shift
        self._bounds = (self._firsts.searchsorted(edges, side="right") - 1).astype(np.int32)
        self._widest = int(np.diff(self._bounds).max())

    def _blocks_of(self, numbers: Keys) -> NDArray[np.int32]:
        """Return the block in which each of `numbers` (B,) is, if it is a key: (B,)."""
        buckets = np.minimum(numbers >> self._shift, self._last)
        found: NDArray[np.int32] = self._bounds[buckets]
        ends = self._bounds[buckets + 1]
        for bit in reversed(range(self._widest.bit_length())):
            later = np.minimum(found + np.int32(1 << bit), ends)
            np.copyto(found, later, where=self._firsts[later] <= numbers)
        return found

    def contain(self, numbers: Keys) -> NDArray[np.bool_]:
        """Return whether each of `numbers` (B,) is a key: (B,)."""
        blocks = self._blocks[self._blocks_of(numbers)]
        is_key: NDArray[np.bool_] = (blocks == numbers[:, None]).any(axis=1)
        return is_key

    def skipped(self, ranks: Keys) -> NDArray[np.int64]:
        """Return how many keys lie below the number of each rank, from 0, that is no key: (B,)."""
        blocks = self._first_gaps.searchsorted(ranks, side="right") - 1
        starts = blocks * WIDTH
        gaps = self._blocks[blocks] - np.arange(WIDTH)
        within: NDArray[np.int64] = (gaps <= (ranks + starts)[:, None]).sum(axis=1)
        return starts + within
