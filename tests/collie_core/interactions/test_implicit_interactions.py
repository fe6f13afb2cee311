from typing import Any

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from collie_core.interactions import Interactions
from collie_core.interactions.negative_sampling import NegativeSampler, UniformSampler

# Chapter 1 of the reference.
USERS, ITEMS = [0, 0, 0, 1, 1, 2], [0, 1, 2, 3, 4, 5]
LACKING = {0: {3, 4, 5}, 1: {0, 1, 2, 5}, 2: {0, 1, 2, 3, 4}}


def chapter_one(**options: Any) -> Interactions:
    options = {"num_negative_samples": 2, "seed": 0} | options
    return Interactions(users=USERS, items=ITEMS, **options)


def test_one_row_is_a_user_an_item_and_true_negatives() -> None:
    for _ in range(50):
        pair, negatives = chapter_one(seed=None)[0]
        assert pair == (0, 0)
        assert set(negatives.tolist()) <= LACKING[0]
        assert (negatives.shape, str(negatives.dtype)) == ((2,), "int64")


@pytest.mark.parametrize(
    "rows",
    [slice(None), list(range(6)), np.arange(6), np.ones(6, dtype=bool)],
    ids=["slice", "list", "array", "mask"],
)
def test_many_rows_come_at_once(rows: Any) -> None:
    (users, items), negatives = chapter_one()[rows]
    assert (users.tolist(), items.tolist()) == (USERS, ITEMS)
    assert all(
        set(drawn) <= LACKING[user] for user, drawn in zip(USERS, negatives.tolist(), strict=True)
    )


def test_last_row_can_be_counted_from_the_end() -> None:
    assert chapter_one()[-1][0] == (2, 5)


def test_row_out_of_range_is_an_index_error() -> None:
    with pytest.raises(IndexError):
        chapter_one()[6]


def test_iteration_ends() -> None:
    rows: Any = chapter_one()  # iterable by its index errors, which type checkers do not know
    assert [pair for pair, _ in rows] == list(zip(USERS, ITEMS, strict=True))


def test_same_seed_same_negatives() -> None:
    one, other = chapter_one(seed=8), chapter_one(seed=8)
    assert one[:][1].tolist() == other[:][1].tolist()


def test_successive_draws_differ() -> None:
    interactions = chapter_one(num_negative_samples=2)
    assert len({tuple(interactions[5][1].tolist()) for _ in range(30)}) > 1


def test_without_a_seed_draws_differ() -> None:
    one, other = (Interactions(np.eye(50), seed=None) for _ in range(2))
    assert one[:][1].tolist() != other[:][1].tolist()


def test_global_random_state_is_neither_read_nor_changed() -> None:
    before = np.random.get_state()[1].tolist()  # type: ignore[index]  # noqa: NPY002
    chapter_one()[:]
    assert np.random.get_state()[1].tolist() == before  # type: ignore[index]  # noqa: NPY002


def test_user_with_too_few_items_left_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match=r"but user 0 has interacted with 3 of 6 items.*leaves 3"):
        chapter_one(num_negative_samples=4)


def test_duplicate_pairs_do_not_count_as_more_items() -> None:
    options: Any = {"remove_duplicate_user_item_pairs": False, "num_negative_samples": 1}
    assert len(Interactions(users=[0, 0], items=[0, 0], num_items=2, **options)) == 2


def test_unchecked_user_still_gets_true_negatives() -> None:
    interactions = chapter_one(num_negative_samples=9, check_num_negative_samples_is_valid=False)
    assert set(interactions[0][1].tolist()) <= LACKING[0]


def test_approximate_negatives_may_be_positives_and_build_no_table() -> None:
    interactions = chapter_one(num_negative_samples=60, max_number_of_samples_to_consider=0)
    assert isinstance(interactions.negative_sampler, UniformSampler)
    assert set(interactions[0][1].tolist()) == set(range(6))


def test_approximate_view_leaves_the_original_exact() -> None:
    interactions = chapter_one()
    view = interactions.approximate()
    assert isinstance(view.negative_sampler, UniformSampler)
    assert not isinstance(interactions.negative_sampler, UniformSampler)
    assert view.users is interactions.users


def test_subset_samples_what_the_user_lacks_in_it() -> None:
    part = chapter_one().subset([0])
    drawn = {item for _ in range(100) for item in part[0][1].tolist()}
    assert drawn == {1, 2, 3, 4, 5}


@pytest.mark.parametrize(
    ("name", "least"), [("num_negative_samples", 0), ("max_number_of_samples_to_consider", 0)]
)
def test_options_below_their_least_are_refused(name: str, least: int) -> None:
    with pytest.raises(ValueError, match=f"{name} is {least - 1}, must be at least {least}"):
        chapter_one(**{name: least - 1})


@pytest.mark.parametrize("most", [0, 200])
def test_none_are_drawn_where_none_are_wanted(most: int) -> None:
    everything = Interactions(
        mat=np.ones((2, 3)), num_negative_samples=0, max_number_of_samples_to_consider=most
    )
    (users, items), negatives = everything[[0, 3, 4]]
    assert (users.tolist(), items.tolist(), negatives.shape) == ([0, 1, 1], [0, 0, 1], (3, 0))
    assert everything[5][1].shape == (0,)


def test_workers_of_a_plain_loader_draw_differently() -> None:
    interactions: Any = Interactions(users=[0] * 8, items=range(8), num_items=10_000, seed=0)
    torch.manual_seed(0)
    loader: DataLoader[Any] = DataLoader(interactions, batch_size=4, num_workers=2)
    first, second = (negatives.tolist() for _, negatives in loader)
    assert first != second


def test_pairs_that_were_sorted_for_duplicates_make_the_same_sampler() -> None:
    rng = np.random.default_rng(0)
    users, items = (rng.integers(0, count, 500, dtype=np.int32) for count in (20, 60))
    made = Interactions(users=users, items=items, num_users=20, num_items=60)
    assert len(made) < 500
    alone = NegativeSampler(users, items, 20, 60)
    asked = np.arange(20)
    drawn = [
        each.sample(asked, 50, np.random.default_rng(1)).tolist()
        for each in (made.negative_sampler, alone)
    ]
    assert drawn[0] == drawn[1]
