"""Losses that look at several negative items and take the hardest."""

from collections.abc import Callable

from torch import Tensor

from collie_core.loss.bpr import bpr_loss
from collie_core.loss.credit import Metadata, Weights
from collie_core.loss.hinge import hinge_loss


def hardest_of(loss: Callable[..., Tensor], name: str) -> Callable[..., Tensor]:
    """Make `loss` look at the highest scored of many negative items (K, B), as WARP does slowly."""

    def adaptive(
        positive_scores: Tensor,
        many_negative_scores: Tensor,
        num_items: int | None = None,
        positive_items: Tensor | None = None,
        negative_items: Tensor | None = None,
        metadata: Metadata | None = None,
        metadata_weights: Weights | None = None,
    ) -> Tensor:
        hardest, which = many_negative_scores.max(dim=0)
        items = None if negative_items is None else negative_items.gather(0, which[None])[0]
        return loss(
            positive_scores, hardest, num_items, positive_items, items, metadata, metadata_weights
        )

    adaptive.__module__ = __name__
    adaptive.__name__ = adaptive.__qualname__ = name
    adaptive.__doc__ = f"Return `{loss.__name__}` of the highest scored of each K negative items."
    return adaptive


adaptive_bpr_loss = hardest_of(bpr_loss, "adaptive_bpr_loss")
adaptive_hinge_loss = hardest_of(hinge_loss, "adaptive_hinge_loss")
