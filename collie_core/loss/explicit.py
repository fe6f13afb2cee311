"""Losses for explicit feedback: scores should be the ratings."""

from torch import Tensor
from torch.nn import functional


def mse_loss(scores: Tensor, ratings: Tensor) -> Tensor:
    """Return the mean squared error of `scores` (B,) against `ratings` (B,)."""
    return functional.mse_loss(scores, ratings)


def mae_loss(scores: Tensor, ratings: Tensor) -> Tensor:
    """Return the mean absolute error of `scores` (B,) against `ratings` (B,)."""
    return functional.l1_loss(scores, ratings)
