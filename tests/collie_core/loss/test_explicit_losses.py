import pytest
import torch

from collie_core.loss import mae_loss, mse_loss

SCORES, RATINGS = torch.tensor([1.0, 4.0, 2.5, 0.0]), torch.tensor([2.0, 4.0, 5.0, -1.0])


def test_the_mean_squared_error_is_the_formula() -> None:
    assert mse_loss(SCORES, RATINGS).item() == pytest.approx((1 + 0 + 6.25 + 1) / 4)


def test_the_mean_absolute_error_is_the_formula() -> None:
    assert mae_loss(SCORES, RATINGS).item() == pytest.approx((1 + 0 + 2.5 + 1) / 4)


def test_what_is_right_costs_nothing() -> None:
    assert mse_loss(RATINGS, RATINGS).item() == mae_loss(RATINGS, RATINGS).item() == 0
