import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.stats import chisquare

from collie_core.interactions.negative_sampling import (
    BITMAP_BYTES,
    NegativeSampler,
    UniformSampler,
)

NUM_ITEMS = 40
# A light user, a heavy one, one with two items left, one with every item and one with none.
POSITIVES = [[3], list(range(0, 40, 2)), [*range(7), *range(8, 31), *range(32, 40)], range(40), []]
BITMAPS = pytest.mark.parametrize("bitmap_bytes", [0, BITMAP_BYTES], ids=["shared", "own"])


def sampler_of(bitmap_bytes: int) -> NegativeSampler:
    rows = [(user, item) for user, items in enumerate(POSITIVES) for item in items]
    users, items = np.array(rows, dtype=np.int32).T
    order = np.random.default_rng(0).permutation(len(users))
    return NegativeSampler(users[order], items[order], 5, NUM_ITEMS, bitmap_bytes)


def drawn_for(user: int, bitmap_bytes: int) -> NDArray[np.int64]:
    rng = np.random.default_rng(5)
    return sampler_of(bitmap_bytes).sample(np.full(2_000, user, np.int32), 10, rng).ravel()


@BITMAPS
@given(data=st.data())
@settings(max_examples=50, deadline=None)
def test_never_a_positive(data: st.DataObject, bitmap_bytes: int) -> None:
    num_users, num_items = data.draw(st.integers(1, 6)), data.draw(st.integers(2, 12))
    cells = st.tuples(st.integers(0, num_users - 1), st.integers(0, num_items - 1))
    rows = data.draw(st.lists(cells, min_size=1, max_size=60))
    users, items = np.array(rows, dtype=np.int32).T
    sampler = NegativeSampler(users, items, num_users, num_items, bitmap_bytes)
    asked = np.arange(num_users)
    drawn = sampler.sample(asked, 30, np.random.default_rng(0))
    for user in asked:
        lacking = set(range(num_items)) - {item for owner, item in rows if owner == user}
        assert set(drawn[user].tolist()) <= (lacking or set(range(num_items)))


@BITMAPS
@pytest.mark.parametrize("user", range(5), ids=["light", "heavy", "almost full", "full", "new"])
def test_uniform_over_what_the_user_lacks(user: int, bitmap_bytes: int) -> None:
    counts = np.bincount(drawn_for(user, bitmap_bytes), minlength=NUM_ITEMS)
    lacking = np.setdiff1d(np.arange(NUM_ITEMS), POSITIVES[user] if user != 3 else [])
    assert counts.sum() == counts[lacking].sum()
    assert chisquare(counts[lacking]).pvalue > 1e-3


@BITMAPS
def test_first_and_last_item_are_drawn(bitmap_bytes: int) -> None:
    drawn = drawn_for(0, bitmap_bytes)
    assert (drawn.min(), drawn.max()) == (0, NUM_ITEMS - 1)


@BITMAPS
def test_draws_of_a_row_are_independent(bitmap_bytes: int) -> None:
    pairs = drawn_for(2, bitmap_bytes).reshape(-1, 2)  # two items left: four pairs, alike
    assert chisquare(np.unique(pairs, axis=0, return_counts=True)[1]).pvalue > 1e-3


def test_duplicate_rows_do_no_harm() -> None:
    twice = np.array([0, 0, 0], dtype=np.int32), np.array([1, 1, 0], dtype=np.int32)
    sampler = NegativeSampler(*twice, 1, 3)
    assert sampler.degrees.tolist() == [2]
    assert set(sampler.sample(np.array([0]), 20, np.random.default_rng(0)).ravel()) == {2}


@pytest.mark.parametrize("num_samples", [1, 7])
def test_shape_is_users_by_samples_of_int64(num_samples: int) -> None:
    drawn = sampler_of(BITMAP_BYTES).sample(np.array([0, 4]), num_samples, np.random.default_rng(0))
    assert (drawn.shape, str(drawn.dtype)) == ((2, num_samples), "int64")


def test_ids_at_the_end_of_int32_do_not_overflow() -> None:
    last = np.array([2**31 - 1], dtype=np.int32)
    sampler = NegativeSampler(np.array([3], dtype=np.int32), last, 4, 2**31)
    assert sampler._is_shared
    drawn = sampler.sample(np.full(100, 3), 10, np.random.default_rng(0))
    assert 0 <= drawn.min() < drawn.max() < 2**31 - 1


def test_uniform_sampler_draws_from_all_items() -> None:
    drawn = UniformSampler(4).sample(np.zeros(1_000, np.int32), 10, np.random.default_rng(0))
    assert chisquare(np.bincount(drawn.ravel(), minlength=4)).pvalue > 1e-3


@pytest.mark.slow
@BITMAPS
def test_a_million_exact_negatives_take_less_than_half_a_second(bitmap_bytes: int) -> None:
    rng = np.random.default_rng(0)
    users, items = (rng.integers(0, count, 100_000, dtype=np.int32) for count in (943, 1682))
    sampler = NegativeSampler(users, items, 943, 1682, bitmap_bytes)
    seconds = []
    for _ in range(3):
        start = time.perf_counter()
        sampler.sample(users, 10, rng)
        seconds.append(time.perf_counter() - start)
    assert min(seconds) < 0.5
