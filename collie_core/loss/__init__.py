"""Losses for implicit feedback: positive items should score higher than negative ones."""

from collections.abc import Callable, Mapping

from torch import Tensor

from collie_core.loss.adaptive import adaptive_bpr_loss, adaptive_hinge_loss
from collie_core.loss.bpr import bpr_loss
from collie_core.loss.credit import check_metadata, ideal_difference_from_metadata
from collie_core.loss.hinge import hinge_loss
from collie_core.loss.warp import warp_loss
from collie_core.tables import lookup

LOSSES: Mapping[str, Callable[..., Tensor]] = {
    "adaptive": adaptive_hinge_loss,
    "adaptive_bpr": adaptive_bpr_loss,
    "adaptive_hinge": adaptive_hinge_loss,
    "bpr": bpr_loss,
    "hinge": hinge_loss,
    "warp": warp_loss,
}
# what a loss of one negative item becomes where there are more; all others need more than one
ADAPTIVE: Mapping[str, str] = {"bpr": "adaptive_bpr", "hinge": "adaptive_hinge"}


def resolve_loss(
    loss: str | Callable[..., Tensor], num_negative_samples: int
) -> Callable[..., Tensor]:
    """Return the function that `loss` means for `num_negative_samples`, K; a function stays.

    Raises
    ------
    ValueError
        If the name is unknown, or the loss needs more than one negative item.
    """
    if not isinstance(loss, str):
        return loss
    function = lookup("loss", LOSSES, loss)
    if num_negative_samples > 1:
        return LOSSES[ADAPTIVE[loss]] if loss in ADAPTIVE else function
    if loss not in ADAPTIVE:
        raise ValueError(
            f"loss {loss!r} chooses among negative items, but num_negative_samples is "
            f"{num_negative_samples}: set it to 2 or more, or use one of {sorted(ADAPTIVE)}"
        )
    return function


__all__ = [
    "ADAPTIVE",
    "LOSSES",
    "adaptive_bpr_loss",
    "adaptive_hinge_loss",
    "bpr_loss",
    "check_metadata",
    "hinge_loss",
    "ideal_difference_from_metadata",
    "resolve_loss",
    "warp_loss",
]
