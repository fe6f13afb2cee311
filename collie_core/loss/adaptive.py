"""Losses that look at several negative items and take the hardest, as WARP does slowly."""

from torch import Tensor

from collie_core.loss.bpr import unlikelihood
from collie_core.loss.hinge import shortfall
from collie_core.loss.one_of_many import Choice, one_of_many


def _hardest(many_negative_scores: Tensor) -> Choice:
    return many_negative_scores.argmax(dim=0), None


@one_of_many(unlikelihood)
def adaptive_bpr_loss(
    shortfalls: Tensor,  # noqa: ARG001 - WARP's
    many_negative_scores: Tensor,
    num_items: int | None,  # noqa: ARG001 - WARP's
) -> Choice:
    """Return `bpr_loss` of the highest scored of each K negative items."""
    return _hardest(many_negative_scores)


@one_of_many(shortfall)
def adaptive_hinge_loss(
    shortfalls: Tensor,  # noqa: ARG001 - WARP's
    many_negative_scores: Tensor,
    num_items: int | None,  # noqa: ARG001 - WARP's
) -> Choice:
    """Return `hinge_loss` of the highest scored of each K negative items."""
    return _hardest(many_negative_scores)
