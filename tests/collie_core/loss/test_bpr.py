import torch

from collie_core.loss import bpr_loss


def test_it_gives_the_number_of_the_reference_for_a_good_ranking() -> None:
    assert round(bpr_loss(torch.tensor([3.0]), torch.tensor([1.5])).item(), 4) == 0.2157


def test_it_gives_the_number_of_the_reference_for_a_bad_ranking() -> None:
    assert round(bpr_loss(torch.tensor([1.5]), torch.tensor([3.0])).item(), 4) == 1.4860


def test_its_gradient_is_right() -> None:
    generator = torch.Generator().manual_seed(0)
    positive, negative = torch.randn(2, 6, dtype=torch.float64, generator=generator)
    assert torch.autograd.gradcheck(
        bpr_loss, (positive.requires_grad_(), negative.clone().requires_grad_())
    )
