"""Sorted numbers, searched a block at a time."""

import numpy as np
from numpy.typing import NDArray

Keys = NDArray[np.int64]
WIDTH = 16  # keys of a block: two lines of the cache
LEAST, MOST = np.iinfo(np.int64).min, np.iinfo(np.int64).max


class SortedKeys:
    """Distinct whole numbers in order, found by the block that they are in.

    The first keys of all blocks are few enough to stay in the processor's cache: of millions of
    keys, most of the steps of a binary search in all of them would each wait for memory.

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

    def contain(self, numbers: Keys) -> NDArray[np.bool_]:
        """Return whether each of `numbers` (B,) is a key: (B,)."""
        blocks = self._firsts.searchsorted(numbers, side="right") - 1
        is_key: NDArray[np.bool_] = (self._blocks[blocks] == numbers[:, None]).any(axis=1)
        return is_key

    def skipped(self, ranks: Keys) -> NDArray[np.int64]:
        """Return how many keys lie below the number of each rank, from 0, that is no key: (B,)."""
        blocks = self._first_gaps.searchsorted(ranks, side="right") - 1
        starts = blocks * WIDTH
        gaps = self._blocks[blocks] - np.arange(WIDTH)
        within: NDArray[np.int64] = (gaps <= (ranks + starts)[:, None]).sum(axis=1)
        return starts + within
