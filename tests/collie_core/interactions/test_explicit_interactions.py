from typing import Any

import numpy as np
import pytest
import torch

from collie_core.interactions import (
    ApproximateNegativeSamplingInteractionsDataLoader,
    ExplicitInteractions,
    InteractionsDataLoader,
)

USERS, ITEMS, RATINGS = [0, 0, 0, 1, 1, 2], [0, 1, 2, 3, 4, 5], [1, 2, 3, 4, 5, 3.5]
PRINTED = [(0, 0, 1.0), (0, 1, 2.0), (0, 2, 3.0), (1, 3, 4.0), (1, 4, 5.0), (2, 5, 3.5)]


@pytest.fixture
def ratings() -> ExplicitInteractions:
    return ExplicitInteractions(users=USERS, items=ITEMS, ratings=RATINGS)


def test_chapter_one_prints_each_rating(ratings: ExplicitInteractions) -> None:
    assert [ratings[row] for row in range(len(ratings))] == PRINTED
    assert repr(ratings[3]) == "(1, 3, 4.0)"


def test_chapter_one_batch_is_flat(ratings: ExplicitInteractions) -> None:
    [[users, items, values]] = list(InteractionsDataLoader(ratings, num_workers=0))
    torch.testing.assert_close(users, torch.tensor(USERS, dtype=torch.int32))
    torch.testing.assert_close(items, torch.tensor(ITEMS, dtype=torch.int32))
    torch.testing.assert_close(values, torch.tensor(RATINGS, dtype=torch.float64))


@pytest.mark.parametrize(
    "rows", [slice(1, 4), [1, 2, 3], np.array([1, 2, 3]), slice(-5, None, 2), np.arange(6) > 2]
)
def test_many_rows_are_the_rows_one_by_one(ratings: ExplicitInteractions, rows: Any) -> None:
    users, items, values = ratings[rows]
    expected = [PRINTED[row] for row in np.arange(6)[rows]]
    assert list(zip(users.tolist(), items.tolist(), values.tolist(), strict=True)) == expected


def test_negative_rows_count_from_the_end(ratings: ExplicitInteractions) -> None:
    assert ratings[-1] == PRINTED[-1]
    assert ratings[np.int64(-6)] == PRINTED[0]
    with pytest.raises(IndexError):
        ratings[6]


def test_there_are_no_negatives(ratings: ExplicitInteractions) -> None:
    assert not hasattr(ratings, "num_negative_samples")
    assert not hasattr(InteractionsDataLoader(ratings, num_workers=0), "num_negative_samples")
    with pytest.raises(TypeError, match="have no negatives: use InteractionsDataLoader"):
        ApproximateNegativeSamplingInteractionsDataLoader(ratings)  # type: ignore[arg-type]


def test_a_zero_is_a_rating_in_columns_and_none_in_a_matrix() -> None:
    assert ExplicitInteractions(users=[0, 0], items=[0, 1], ratings=[0.0, 2.0])[0] == (0, 0, 0.0)
    assert len(ExplicitInteractions(mat=[[0.0, 2.0]])) == 1


def test_without_ratings_each_is_one() -> None:
    assert ExplicitInteractions(users=[0], items=[0])[0] == (0, 0, 1.0)


@pytest.mark.parametrize("workers", [0, 2])
def test_every_rating_comes_once_an_epoch(ratings: ExplicitInteractions, workers: int) -> None:
    loader = InteractionsDataLoader(ratings, batch_size=4, shuffle=True, num_workers=workers)
    orders = []
    for _ in range(4):
        batches = list(loader)
        rows = [row for batch in batches for row in zip(*(c.tolist() for c in batch), strict=True)]
        assert sorted(rows) == PRINTED
        orders.append(tuple(rows))
    assert len(set(orders)) > 1


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_rating_that_is_not_finite_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match=r"rating .* at row 1 \(user 0, item 1\) is not finite"):
        ExplicitInteractions(users=[0, 0], items=[0, 1], ratings=[1.0, value])


@pytest.mark.parametrize("n", [0, 1, 2, 5, 2**62, -1, -2, -5, -(2**62)])
def test_head_and_tail_are_those_of_a_slice(ratings: ExplicitInteractions, n: int) -> None:
    dense = ratings.toarray()
    np.testing.assert_array_equal(ratings.head(n), dense[:n])
    np.testing.assert_array_equal(ratings.tail(n), dense[-n:] if n else dense[:0])
