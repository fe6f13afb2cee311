"""Whole numbers drawn uniformly, many at once and at the cost of their random bits."""

import numpy as np
from numpy.typing import NDArray

HALF = np.uint64(32)


def below(bound: int, count: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Return `count` numbers drawn uniformly from 0..bound-1: (count,) int64.

    A number is the upper half of `bound` times 32 random bits, without the few products that would
    favour some numbers (Lemire, TOMACS 2019). `Generator.integers` draws them so too, but one by
    one, which takes twice the time.

    Parameters
    ----------
    bound : 1 to 2**31.
    rng : of any bit generator but `MT19937`, whose words have half of the bits.

    Raises
    ------
    TypeError
        If it is that one.
    """
    if isinstance(rng.bit_generator, np.random.MT19937):
        raise TypeError("rng has MT19937, must have 64-bit words: use numpy.random.default_rng")
    bits = rng.bit_generator.random_raw((count + 1) // 2).view(np.uint32)[:count]
    products = bits * np.uint64(bound)
    lower, surplus = products.astype(np.uint32), (1 << 32) % bound
    products >>= HALF
    if lower.min(initial=surplus) < surplus:
        favoured = np.flatnonzero(lower < surplus)
        products[favoured] = rng.integers(0, bound, favoured.size)
    return products.view(np.int64)
