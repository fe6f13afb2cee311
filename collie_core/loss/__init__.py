"""Losses: positive items should score higher than negative ones, or each score be the rating."""

import warnings
from collections.abc import Callable, Mapping

from torch import Tensor

from collie_core.loss.adaptive import adaptive_bpr_loss, adaptive_hinge_loss
from collie_core.loss.bpr import bpr_loss
from collie_core.loss.credit import check_metadata, ideal_difference_from_metadata
from collie_core.loss.explicit import mae_loss, mse_loss
from collie_core.loss.hinge import hinge_loss
from collie_core.loss.one_of_many import OneOfMany
from collie_core.loss.softmax import full_softmax_loss, softmax_loss
from collie_core.loss.warp import warp_loss
from collie_core.tables import lookup

LOSSES: Mapping[str, Callable[..., Tensor]] = {
    "adaptive": adaptive_hinge_loss,
    "adaptive_bpr": adaptive_bpr_loss,
    "adaptive_hinge": adaptive_hinge_loss,
    "bpr": bpr_loss,
    "hinge": hinge_loss,
    "softmax": softmax_loss,
    "warp": warp_loss,
}
# of the scores of all items, and so without negative samples
ALL_ITEMS_LOSSES: Mapping[str, Callable[..., Tensor]] = {"full_softmax": full_softmax_loss}
IMPLICIT_LOSSES = {**LOSSES, **ALL_ITEMS_LOSSES}
EXPLICIT_LOSSES: Mapping[str, Callable[..., Tensor]] = {"mae": mae_loss, "mse": mse_loss}
# what a loss of one negative item becomes where there are more, and what those are of one
ADAPTIVE: Mapping[str, str] = {"bpr": "adaptive_bpr", "hinge": "adaptive_hinge"}
SINGLE: Mapping[str, str] = {"adaptive": "hinge", "adaptive_bpr": "bpr", "adaptive_hinge": "hinge"}


def resolve_loss(
    loss: str | Callable[..., Tensor], num_negative_samples: int | None
) -> Callable[..., Tensor]:
    """Return the function that `loss` means for the data; a function stays.

    Parameters
    ----------
    loss : a name of `LOSSES` or `ALL_ITEMS_LOSSES`, for implicit data, or of `EXPLICIT_LOSSES`.
    num_negative_samples : K; None where the data are explicit. With more than one, "bpr" and
        "hinge" stand for their adaptive forms; with one, a warning says that those are the plain.

    Raises
    ------
    ValueError
        If the name is unknown, of the other kind of data, or the loss needs more negative items.
    """
    if not isinstance(loss, str):
        return loss
    function = lookup("loss", {**IMPLICIT_LOSSES, **EXPLICIT_LOSSES}, loss)
    if (num_negative_samples is None) != (loss in EXPLICIT_LOSSES):
        _refuse_kind(loss, is_explicit=num_negative_samples is None)
    if num_negative_samples is None or loss in ALL_ITEMS_LOSSES:
        return function
    if num_negative_samples > 1:
        return LOSSES[ADAPTIVE.get(loss, loss)]
    return _of_few(loss, num_negative_samples)


def _refuse_kind(loss: str, *, is_explicit: bool) -> None:
    kind, other = ("explicit", "implicit") if is_explicit else ("implicit", "explicit")
    known = EXPLICIT_LOSSES if is_explicit else IMPLICIT_LOSSES
    data = "Interactions" if is_explicit else "ExplicitInteractions"
    raise ValueError(
        f"loss {loss!r} is for {other} data, but these are {kind}: use one of {sorted(known)}, "
        f"or pass {data}"
    )


def _of_few(loss: str, count: int) -> Callable[..., Tensor]:
    """Return the loss of one negative item that `loss` comes down to; of none there is none."""
    if count and loss in SINGLE:
        warnings.warn(
            f"loss {loss!r} chooses among negative items, but num_negative_samples is 1: "
            f"{SINGLE[loss]!r} is used, set it to 2 or more to choose",
            stacklevel=2,
        )
        return LOSSES[SINGLE[loss]]
    if count and loss in ADAPTIVE:
        return LOSSES[loss]
    needed, others = ("several", ADAPTIVE) if count else ("some", ALL_ITEMS_LOSSES)
    raise ValueError(
        f"loss {loss!r} needs {needed} negative items, but num_negative_samples is {count}: "
        f"set it to 2 or more, or use one of {sorted(others)}"
    )


__all__ = [
    "ADAPTIVE",
    "ALL_ITEMS_LOSSES",
    "EXPLICIT_LOSSES",
    "IMPLICIT_LOSSES",
    "LOSSES",
    "OneOfMany",
    "adaptive_bpr_loss",
    "adaptive_hinge_loss",
    "bpr_loss",
    "check_metadata",
    "full_softmax_loss",
    "hinge_loss",
    "ideal_difference_from_metadata",
    "mae_loss",
    "mse_loss",
    "resolve_loss",
    "softmax_loss",
    "warp_loss",
]
