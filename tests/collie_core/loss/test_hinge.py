import pytest
import torch

from collie_core.loss import hinge_loss


@pytest.mark.parametrize(("positive", "negative", "expected"), [(3.0, 1.5, 0.0), (1.5, 3.0, 8.75)])
def test_it_gives_the_numbers_of_the_reference(
    positive: float, negative: float, expected: float
) -> None:
    loss = hinge_loss(torch.tensor([positive]), torch.tensor([negative]))
    assert loss.item() == expected


def test_it_is_the_mean_over_the_batch() -> None:
    # gaps 1.5 and -1.5: (0 + 8.75) / 2
    loss = hinge_loss(torch.tensor([3.0, 1.5]), torch.tensor([1.5, 3.0]))
    assert loss.item() == 4.375


def test_its_gradient_is_right_away_from_the_kink() -> None:
    positive = torch.tensor([0.2, 3.0, -1.0], dtype=torch.float64, requires_grad=True)
    negative = torch.tensor([0.5, 0.1, 2.0], dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(hinge_loss, (positive, negative))
