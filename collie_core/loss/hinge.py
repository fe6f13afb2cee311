"""The hinge."""

from torch import Tensor

from collie_core.loss.pairwise import pairwise


def shortfall(gap: Tensor, ideal: Tensor) -> Tensor:
    """Return by how much the gap is less than the ideal one: max(0, ideal - gap)."""
    return (ideal - gap).clamp(min=0)


@pairwise
def hinge_loss(gap: Tensor, ideal: Tensor) -> Tensor:
    """Return the modified pairwise hinge loss: x = max(0, ideal - gap)."""
    return shortfall(gap, ideal)
