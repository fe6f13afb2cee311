"""Coverage and novelty, which follow from the lists of all users."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy.sparse import csr_matrix
from torch import Tensor

from collie_core.interactions import Interactions
from collie_core.metrics import coverage, evaluate_in_batches, evaluate_per_user, mrr, novelty

Bools = npt.NDArray[np.bool_]
Case = tuple[npt.NDArray[np.float32], Bools, Bools | None, int, int]


class Table:
    """A scorer that reads its scores (U, N) from a table."""

    def __init__(self, scores: npt.NDArray[np.float32]) -> None:
        self.scores = torch.from_numpy(scores)
        self.num_users, self.num_items = scores.shape

    def score_all(self, users: Tensor) -> Tensor:
        return self.scores[users]


def interactions(relevant: Bools) -> Interactions:
    return Interactions(mat=relevant, check_num_negative_samples_is_valid=False, seed=0)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Draw scores with ties, what is relevant and excluded, each (U, N), k and a batch size."""
    shape = draw(st.tuples(st.integers(1, 5), st.integers(1, 6)))
    levels = st.sampled_from([-np.inf, -3.0, 0.0, 0.25, 4.0])
    return (
        draw(arrays.arrays(np.float32, shape, elements=levels)),
        draw(arrays.arrays(np.bool_, shape).filter(np.any)),
        draw(st.none() | arrays.arrays(np.bool_, shape)),
        draw(st.integers(1, 7)),
        draw(st.integers(1, 6)),
    )


def lists_by_hand(case: Case) -> dict[int, list[int]]:
    """Return the list of each user with something to find."""
    scores, relevant, excluded, k, _ = case
    barred = np.isneginf(scores) if excluded is None else excluded | np.isneginf(scores)
    return {
        user: sorted((~row).nonzero()[0].tolist(), key=lambda item: (-scores[user, item], item))[:k]
        for user, row in enumerate(barred)
        if relevant[user].any()
    }


def bits(known: Bools, item: int) -> float:
    return -float(np.log2((known[:, item].sum() + 1) / (known.sum() + known.shape[1])))


def evaluated(case: Case, *metrics: Any) -> list[float]:
    scores, relevant, excluded, k, batch_size = case
    exclude = None if excluded is None else csr_matrix(excluded)
    return evaluate_in_batches(
        metrics, interactions(relevant), Table(scores), k, batch_size, None, False, exclude=exclude
    )


@given(cases())
def test_coverage_is_that_of_all_lists_together_whatever_the_batch_size(case: Case) -> None:
    covered = set().union(*lists_by_hand(case).values())
    assert evaluated(case, coverage) == [pytest.approx(len(covered) / case[0].shape[1])]


@given(cases())
def test_novelty_is_the_mean_over_users_of_what_their_lists_tell(case: Case) -> None:
    known = case[1] if case[2] is None else case[2]
    lists = lists_by_hand(case).values()
    means = [np.mean([bits(known, item) for item in each]) for each in lists if each]
    expected = float(np.mean(means)) if means else np.nan
    assert evaluated(case, novelty) == [pytest.approx(expected, nan_ok=True)]


@given(cases())
def test_novelty_of_each_user_is_that_of_the_user_alone(case: Case) -> None:
    scores, relevant, excluded, k, batch_size = case
    exclude = None if excluded is None else csr_matrix(excluded)
    table = evaluate_per_user(
        Table(scores),
        interactions(relevant),
        k=k,
        batch_size=batch_size,
        exclude=exclude,
        metrics=("novelty",),
    )
    known = relevant if excluded is None else excluded
    lists = lists_by_hand(case)
    for user, value in zip(table["user"], table["novelty"], strict=True):
        told = [bits(known, item) for item in lists[user]]
        assert value == pytest.approx(np.mean(told) if told else np.nan, nan_ok=True)


@given(cases())
def test_one_block_gives_what_the_function_gives_alone(case: Case) -> None:
    scores, relevant, _, k, _ = case
    users = np.flatnonzero(relevant.any(axis=1))
    alone = coverage(csr_matrix(relevant), users, torch.from_numpy(scores[users]), k)
    assert evaluated((scores, relevant, None, k, len(users)), coverage) == [alone]


def test_lists_and_ranks_come_out_of_one_pass_in_the_order_asked_for() -> None:
    scores = np.array([[3.0, 2.0, 1.0], [3.0, 1.0, 2.0]], dtype=np.float32)
    relevant = np.array([[0, 1, 0], [0, 1, 0]], dtype=np.bool_)
    assert evaluated((scores, relevant, None, 2, 1), mrr, coverage) == [
        pytest.approx((1 / 2 + 1 / 3) / 2),
        1.0,
    ]


def test_coverage_is_no_mean_of_the_blocks() -> None:
    scores = np.array([[2.0, 1.0], [2.0, 1.0], [1.0, 2.0]], dtype=np.float32)
    relevant = np.ones((3, 2), dtype=np.bool_)
    assert evaluated((scores, relevant, None, 1, 1), coverage) == [1.0]


def test_the_popular_item_tells_less_than_the_one_that_nobody_knows() -> None:
    known = np.array([[1, 0], [1, 0], [0, 0]], dtype=np.bool_)
    relevant = np.array([[0, 0], [0, 0], [1, 1]], dtype=np.bool_)
    popular, unknown = (
        evaluated(
            (np.tile(np.array(row, dtype=np.float32), (3, 1)), relevant, known, 1, 5), novelty
        )[0]
        for row in ([2.0, 1.0], [1.0, 2.0])
    )
    assert popular == pytest.approx(-np.log2(3 / 4))
    assert unknown == pytest.approx(2.0)
