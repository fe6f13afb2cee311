import pytest
import torch

from collie_core.loss import adaptive_bpr_loss, adaptive_hinge_loss, hinge_loss

GOOD = torch.tensor([3.0]), torch.tensor([[1.5], [0.5], [1.0]])
BAD = torch.tensor([1.5]), torch.tensor([[2.0], [3.0], [2.5]])
MANY = torch.tensor([1.5]), torch.tensor([[1.0], [4.0], [1.49]])


@pytest.mark.parametrize(
    ("scores", "bpr", "hinge"),
    [(GOOD, 0.2157, 0.0), (BAD, 1.4860, 8.75), (MANY, 1.7782, 15.75)],
    ids=["good", "bad", "many"],
)
def test_they_give_the_numbers_of_the_reference(
    scores: tuple[torch.Tensor, torch.Tensor], bpr: float, hinge: float
) -> None:
    assert round(adaptive_bpr_loss(*scores).item(), 4) == bpr
    assert round(adaptive_hinge_loss(*scores).item(), 4) == hinge


def test_the_hardest_is_chosen_for_each_pair_alone() -> None:
    positive = torch.tensor([1.0, 2.0])
    many = torch.tensor([[5.0, 0.0], [0.0, 4.0]])
    expected = hinge_loss(positive, torch.tensor([5.0, 4.0]))
    assert adaptive_hinge_loss(positive, many) == expected


def test_credit_is_that_of_the_hardest_item() -> None:
    # item 1 is of item 0's genre, 2 is not; the hardest is 1 for the first pair, 2 for the second
    genre = {"metadata": {"genre": torch.tensor([0, 0, 1])}, "metadata_weights": {"genre": 0.25}}
    many = torch.tensor([[3.0, 0.0], [0.0, 3.0]])
    items = torch.tensor([[1, 1], [2, 2]], dtype=torch.int32)
    loss = adaptive_hinge_loss(
        torch.tensor([1.0, 1.0]),
        many,
        positive_items=torch.tensor([0, 0], dtype=torch.int32),
        negative_items=items,
        **genre,
    )
    # x is .75 + 2 and 1 + 2, x + x² is 10.3125 and 12
    assert loss.item() == pytest.approx((10.3125 + 12) / 2)


def test_the_gradient_reaches_the_hardest_alone() -> None:
    many = torch.tensor([[2.0], [3.0], [2.5]], requires_grad=True)
    (slopes,) = torch.autograd.grad(adaptive_hinge_loss(torch.tensor([1.5]), many), many)
    assert slopes[:, 0].tolist() == [0.0, 6.0, 0.0]  # 1 + 2x with x = 2.5


@pytest.mark.parametrize("loss", [adaptive_bpr_loss, adaptive_hinge_loss])
def test_their_gradients_are_right_where_the_hardest_is_clear(loss: object) -> None:
    assert callable(loss)
    positive = torch.tensor([0.2, 1.0], dtype=torch.float64, requires_grad=True)
    many = torch.tensor([[0.9, 0.1], [0.3, 2.0]], dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(loss, (positive, many))
