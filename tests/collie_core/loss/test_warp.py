import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from collie_core.loss import warp_loss


@pytest.mark.parametrize(
    ("positive", "many", "num_items", "expected"),
    [
        (3.0, [1.5, 0.5, 1.0], 3, 0.0),
        (1.5, [2.0, 3.0, 2.5], 3, 4.3636),
        (1.5, [2.0, 3.0, 2.5], 30, 31.1301),
        (1.5, [1.0, 4.0, 1.49], 3, 0.8510),
        (1.5, [1.0, 4.0, 1.49], 30, 4.5926),
    ],
)
def test_it_gives_the_numbers_of_the_reference(
    positive: float, many: list[float], num_items: int, expected: float
) -> None:
    scores = torch.tensor([positive]), torch.tensor(many)[:, None]
    assert round(warp_loss(*scores, num_items=num_items).item(), 4) == expected


def penalty(positive: float, many: list[float], num_items: int) -> float:
    for tries, negative in enumerate(many, start=1):
        violation = 1 - positive + negative
        if violation > 0:
            return math.log((num_items - 1) // tries + 1) * violation
    return 0.0


@given(st.integers(0, 2**32 - 1), st.integers(1, 5), st.integers(1, 4), st.integers(2, 50))
def test_it_agrees_with_trying_one_negative_after_another(
    seed: int, tries: int, pairs: int, num_items: int
) -> None:
    rng = np.random.default_rng(seed)
    positive, many = rng.normal(size=pairs), rng.normal(size=(tries, pairs))
    each = [penalty(p, m.tolist(), num_items) for p, m in zip(positive, many.T, strict=True)]
    loss = warp_loss(torch.from_numpy(positive), torch.from_numpy(many), num_items)
    assert loss.item() == pytest.approx(np.mean([x + x * x for x in each]))


def test_credit_makes_a_violation_of_a_like_item_none() -> None:
    # asked for a gap of .5 only, the first negative does not violate; the second does
    loss = warp_loss(
        torch.tensor([1.0]),
        torch.tensor([[0.4], [0.4]]),
        num_items=5,
        positive_items=torch.tensor([0]),
        negative_items=torch.tensor([[1], [2]]),
        metadata={"genre": torch.tensor([0, 0, 1, 1, 1])},
        metadata_weights={"genre": 0.5},
    )
    x = math.log(4 // 2 + 1) * 0.4
    assert loss.item() == pytest.approx(x + x * x)


def test_its_gradient_is_right_away_from_the_kink() -> None:
    positive = torch.tensor([0.2, 3.0, -1.0], dtype=torch.float64, requires_grad=True)
    many = torch.tensor(
        [[0.5, 0.1, -2.5], [-2.0, 1.0, 2.0]], dtype=torch.float64, requires_grad=True
    )
    assert torch.autograd.gradcheck(lambda p, n: warp_loss(p, n, 20), (positive, many))


def test_without_the_number_of_items_it_says_why_it_needs_it() -> None:
    with pytest.raises(ValueError, match="num_items is None"):
        warp_loss(torch.zeros(1), torch.zeros(2, 1))
