from collections.abc import Callable

import numpy as np
import pytest
import torch
from scipy.sparse import csr_matrix

from collie_core.metrics import (
    auc,
    coverage,
    hit_rate,
    mapk,
    mrr,
    ndcg,
    novelty,
    precision,
    recall,
)

Metric = Callable[..., float]
OF_TARGETS = [auc, hit_rate, mapk, mrr, ndcg, precision, recall]
OF_LISTS = [coverage, novelty]

RELEVANT = csr_matrix([[0, 0, 1, 0, 1], [0, 0, 0, 0, 0], [1, 0, 0, 0, 0]])
PREDS = torch.tensor([[5.0, 4.0, 3.0, 2.0, 1.0], [1.0, 2.0, 3.0, 4.0, 5.0]])


@pytest.mark.parametrize(
    ("metric", "expected"),
    [
        # user 0 finds items 2 and 4 at ranks 3 and 5, user 2 item 0 at rank 5
        (auc, ((1 / 3 + 0) / 2 + 0) / 2),
        (hit_rate, 1.0),
        (mapk, ((1 / 3 + 2 / 5) / 2 + 1 / 5) / 2),
        (mrr, (1 / 3 + 1 / 5) / 2),
        (ndcg, ((1 / 2 + 1 / np.log2(6)) / (1 + 1 / np.log2(3)) + 1 / np.log2(6)) / 2),
        (precision, (2 / 10 + 1 / 10) / 2),
        (recall, 1.0),
    ],
)
def test_a_mean_over_users_is_that_of_a_calculation_by_hand(
    metric: Metric, expected: float
) -> None:
    assert metric(RELEVANT, np.array([0, 2]), PREDS) == pytest.approx(expected)


@pytest.mark.parametrize("metric", OF_TARGETS)
def test_users_without_relevant_items_are_left_out_of_the_mean(metric: Metric) -> None:
    alone = metric(targets=RELEVANT, user_ids=torch.tensor([0]), preds=PREDS[:1], k=10)
    assert metric(targets=RELEVANT, user_ids=torch.tensor([0, 1]), preds=PREDS, k=10) == alone


def test_k_cuts_the_list() -> None:
    assert mapk(RELEVANT, [0], PREDS[:1], k=3) == pytest.approx(1 / 3 / 2)
    assert recall(RELEVANT, [0], PREDS[:1], k=4) == 0.5
    assert ndcg(RELEVANT, [0], PREDS[:1], k=2) == 0
    assert precision(RELEVANT, [0], PREDS[:1], k=4) == 0.25
    assert [hit_rate(RELEVANT, [0, 2], PREDS, k=k) for k in (2, 3, 5)] == [0.0, 0.5, 1.0]


def test_coverage_counts_an_item_once_however_many_users_it_is_shown_to() -> None:
    assert coverage(RELEVANT, [0, 2], PREDS, k=2) == 0.8  # 0, 1 and 4, 3
    assert coverage(RELEVANT, [0, 2], PREDS, k=3) == 1.0
    assert coverage(RELEVANT, [0, 2], PREDS[[0, 0]], k=2) == 0.4


def test_novelty_is_that_of_a_calculation_by_hand() -> None:
    targets = csr_matrix([[1, 0, 0, 0], [1, 1, 0, 0]])  # p is 3/7, 2/7, 1/7 and 1/7
    preds = torch.tensor([[4.0, 3.0, 2.0, 1.0], [1.0, 2.0, 3.0, 4.0]])
    expected = -(np.log2(3 / 7) + np.log2(2 / 7) + 2 * np.log2(1 / 7)) / 4
    assert novelty(targets, [0, 1], preds, k=2) == pytest.approx(expected)


def test_an_item_counted_twice_in_the_targets_is_known_once() -> None:
    twice = csr_matrix((np.ones(3), [0, 0, 1], [0, 3]), shape=(1, 3))
    once = csr_matrix([[1, 1, 0]])
    assert novelty(twice, [0], PREDS[:1, :3], k=1) == novelty(once, [0], PREDS[:1, :3], k=1)


@pytest.mark.parametrize("metric", OF_LISTS)
def test_an_item_at_minus_infinity_is_in_no_list(metric: Metric) -> None:
    preds = torch.tensor([[1.0, -torch.inf, -torch.inf, -torch.inf, -torch.inf]])
    assert metric(RELEVANT, [1], preds, k=3) == metric(RELEVANT, [1], preds, k=1)


def test_with_nothing_in_any_list_nothing_is_covered_and_nothing_is_novel() -> None:
    nothing = torch.full((1, 5), -torch.inf)
    assert coverage(RELEVANT, [0], nothing) == 0
    with pytest.raises(ValueError, match="none of 1 users has a value of novelty"):
        novelty(RELEVANT, [0], nothing)


def test_large_scores_do_not_tie_as_they_would_after_a_float32_sigmoid() -> None:
    preds = torch.tensor([[40.0, 41.0]])
    assert len(set(torch.sigmoid(preds)[0].tolist())) == 1
    assert auc(csr_matrix([[0, 1]]), [0], preds) == 1.0


@pytest.mark.parametrize("metric", OF_TARGETS + OF_LISTS)
@pytest.mark.parametrize("dtype", [torch.float16, torch.float64, torch.int64])
def test_the_type_of_the_scores_changes_nothing(metric: Metric, dtype: torch.dtype) -> None:
    assert metric(RELEVANT, [0, 2], PREDS.to(dtype)) == metric(RELEVANT, [0, 2], PREDS)


@pytest.mark.parametrize("metric", OF_TARGETS + OF_LISTS)
def test_a_nan_score_is_refused_with_its_user(metric: Metric) -> None:
    preds = PREDS.clone()
    preds[1, 3] = torch.nan
    with pytest.raises(ValueError, match="score of user 2 for item 3 is NaN"):
        metric(RELEVANT, [0, 2], preds)


@pytest.mark.parametrize("metric", OF_TARGETS + OF_LISTS)
@pytest.mark.parametrize("preds", [PREDS[:, :4], PREDS[:1], PREDS[0]])
def test_scores_that_are_not_one_a_user_and_item_are_refused(
    metric: Metric, preds: torch.Tensor
) -> None:
    with pytest.raises(ValueError, match=r"scores have shape .* must have \(2, 5\)"):
        metric(RELEVANT, [0, 2], preds)


@pytest.mark.parametrize("metric", [coverage, hit_rate, mapk, ndcg, novelty, precision, recall])
def test_k_below_1_is_refused(metric: Metric) -> None:
    with pytest.raises(ValueError, match="k is 0, must be at least 1"):
        metric(RELEVANT, [0], PREDS[:1], k=0)


@pytest.mark.parametrize("metric", OF_TARGETS)
def test_a_mean_over_nobody_is_refused(metric: Metric) -> None:
    with pytest.raises(ValueError, match="none of 1 users has a value"):
        metric(RELEVANT, [1], PREDS[:1])
