import math

import pytest
import torch
from torch.nn import functional

from collie_core.loss.softmax import softmax_loss

SCORES = torch.tensor([[0.5, -1.0], [2.0, 0.0], [-0.25, 1.5], [1.0, 1.0]])  # (N, B)


def test_all_other_items_give_the_cross_entropy() -> None:
    loss = softmax_loss(SCORES[0], SCORES[1:], num_items=4)
    expected = functional.cross_entropy(SCORES.T, torch.tensor([0, 0]))
    torch.testing.assert_close(loss, expected)


def test_hand_calculation() -> None:
    # one negative of 9 stands for all of them: log(e^0 + 9 / 1 * e^log(2)) - 0 = log(19)
    loss = softmax_loss(torch.zeros(1), torch.full((1, 1), math.log(2)), num_items=10)
    assert loss.item() == pytest.approx(math.log(19))


def test_repeated_negatives_change_nothing() -> None:
    once = softmax_loss(SCORES[0], SCORES[1:], num_items=100)
    thrice = softmax_loss(SCORES[0], SCORES[1:].repeat(3, 1), num_items=100)
    torch.testing.assert_close(once, thrice)


def test_uniform_negatives_estimate_the_softmax_over_all_items() -> None:
    rng = torch.Generator().manual_seed(0)
    scores = torch.randn(50, generator=rng)
    drawn = torch.randint(1, 50, (2_000, 200), generator=rng)
    loss = softmax_loss(scores[:1].expand(200), scores[drawn], num_items=50)
    exact = scores.logsumexp(dim=0) - scores[0]
    assert loss.item() == pytest.approx(exact.item(), rel=1e-3)


def test_gradients_of_a_row_sum_to_zero_and_the_positive_goes_up() -> None:
    scores = SCORES.clone().requires_grad_()
    softmax_loss(scores[0], scores[1:], num_items=1_000).backward()
    assert scores.grad is not None
    torch.testing.assert_close(scores.grad.sum(dim=0), torch.zeros(2))
    assert (scores.grad[0] < 0).all()


def test_credit_lowers_a_negative_by_its_part_of_the_sum() -> None:
    codes, items = {"genre": torch.tensor([0, 0, 1, 1])}, torch.tensor([[1], [2], [3]])
    given = {"positive_items": torch.tensor([0]), "negative_items": items, "num_items": 4}
    loss = softmax_loss(
        torch.zeros(1), torch.zeros(3, 1), metadata=codes, metadata_weights={"genre": 0.5}, **given
    )
    assert loss.item() == pytest.approx(math.log(1 + 0.5 + 1 + 1))


def test_an_item_as_its_own_negatives_asks_for_nothing() -> None:
    same = torch.tensor([0])
    scores = torch.zeros(1, requires_grad=True)
    loss = softmax_loss(
        scores,
        scores[None],
        2,
        same,
        same[None],
        {"genre": torch.tensor([0, 1])},
        {"genre": 0.5},
    )
    loss.backward()
    assert (loss.item(), scores.grad.tolist()) == (0.0, [0.0])


@pytest.mark.parametrize("num_items", [None, 1])
def test_number_of_items_is_needed(num_items: int | None) -> None:
    with pytest.raises(ValueError, match=f"num_items is {num_items}, must be at least 2"):
        softmax_loss(SCORES[0], SCORES[1:], num_items=num_items)
