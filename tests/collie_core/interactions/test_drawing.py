import numpy as np
import pytest
from scipy.stats import chisquare

from collie_core.interactions.drawing import below


class Words:
    """A bit generator of chosen words, which hold the later draw above the earlier one."""

    def __init__(self, *halves: int) -> None:
        self._words = np.array(halves, dtype=np.uint32).view(np.uint64)

    def random_raw(self, count: int) -> np.ndarray:
        return self._words[:count]


class Chosen:
    """A generator of chosen words, whose `integers` are all 7."""

    def __init__(self, *halves: int) -> None:
        self.bit_generator = Words(*halves)

    def integers(self, low: int, high: int, count: int) -> np.ndarray:
        assert (low, high) == (0, 10)
        return np.full(count, 7)


@pytest.mark.parametrize("bound", [1, 2, 7, 1000, 2**31])
def test_draws_are_uniform_below_the_bound(bound: int) -> None:
    drawn = below(bound, 100_001, np.random.default_rng(0))
    assert (len(drawn), str(drawn.dtype)) == (100_001, "int64")
    assert 0 <= drawn.min() <= drawn.max() < bound
    tenths = np.bincount(drawn * min(bound, 10) // bound)
    assert chisquare(tenths).pvalue > 1e-3 or bound == 1


def test_the_words_that_would_favour_some_numbers_are_drawn_again() -> None:
    surplus = 2**32 % 10  # so many products too many are there for ten numbers to share alike
    first = -(-(2**32) // 10)  # the least word whose number is 1
    assert first * 10 % 2**32 < surplus
    drawn = below(10, 4, Chosen(0, first, first + 1, 2**32 - 1))  # type: ignore[arg-type]
    assert drawn.tolist() == [7, 7, 1, 9]


def test_nothing_may_be_drawn() -> None:
    assert below(3, 0, np.random.default_rng(0)).shape == (0,)


def test_a_generator_of_short_words_is_refused() -> None:
    rng = np.random.Generator(np.random.MT19937(0))
    with pytest.raises(TypeError, match="must have 64-bit words"):
        below(3, 4, rng)
