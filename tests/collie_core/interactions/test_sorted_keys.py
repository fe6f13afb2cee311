import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collie_core.interactions.sorted_keys import WIDTH, SortedKeys

SIZES = [0, 1, WIDTH - 1, WIDTH, WIDTH + 1, 5 * WIDTH, 7 * WIDTH + 3]


@pytest.mark.parametrize("size", SIZES)
def test_all_numbers_are_told_from_keys(size: int) -> None:
    rng = np.random.default_rng(size)
    keys = np.sort(rng.choice(300, size, replace=False)) + 5
    numbers = np.arange(310)
    assert SortedKeys(keys).contain(numbers).tolist() == np.isin(numbers, keys).tolist()


@pytest.mark.parametrize("size", SIZES)
def test_ranks_skip_the_keys_below(size: int) -> None:
    rng = np.random.default_rng(size)
    keys = np.sort(rng.choice(300, size, replace=False))
    others = np.setdiff1d(np.arange(400), keys)
    ranks = np.arange(len(others))
    assert (ranks + SortedKeys(keys).skipped(ranks)).tolist() == others.tolist()


@given(st.sets(st.integers(0, 2**62), max_size=40), st.lists(st.integers(0, 2**62), max_size=20))
def test_keys_may_be_as_large_as_cells_are(keys: set[int], numbers: list[int]) -> None:
    found = SortedKeys(np.array(sorted(keys), dtype=np.int64)).contain(np.array(numbers, np.int64))
    assert found.tolist() == [number in keys for number in numbers]
