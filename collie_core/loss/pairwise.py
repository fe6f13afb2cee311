"""The signature that all losses of one positive and one negative item share."""

from collections.abc import Callable
from typing import Protocol

from torch import Tensor

from collie_core.loss.credit import Metadata, Weights, ideal_difference_from_metadata

Penalty = Callable[[Tensor, Tensor], Tensor]


class Loss(Protocol):
    """A loss over scores of positive items (B,) and of negative ones, (B,) or (K, B)."""

    __name__: str

    def __call__(
        self,
        positive_scores: Tensor,
        negative_scores: Tensor,
        /,
        num_items: int | None = None,
        positive_items: Tensor | None = None,
        negative_items: Tensor | None = None,
        metadata: Metadata | None = None,
        metadata_weights: Weights | None = None,
    ) -> Tensor:
        """Return the mean loss, ()."""


def mean_with_square(penalties: Tensor) -> Tensor:
    """Return the mean of x + x² over `penalties`: the square weighs the worst mistakes more."""
    return (penalties + penalties.square()).mean()


def pairwise(penalty: Penalty) -> Callable[..., Tensor]:
    """Make a loss of `penalty(gap, ideal)`, both (B,), with the signature that losses share."""

    def loss(
        positive_scores: Tensor,
        negative_scores: Tensor,
        num_items: int | None = None,  # noqa: ARG001 - only WARP uses it
        positive_items: Tensor | None = None,
        negative_items: Tensor | None = None,
        metadata: Metadata | None = None,
        metadata_weights: Weights | None = None,
    ) -> Tensor:
        ideal = ideal_difference_from_metadata(
            positive_items, negative_items, metadata, metadata_weights
        )
        return mean_with_square(penalty(positive_scores - negative_scores, ideal))

    named_after(penalty, loss)
    return loss


def named_after(source: Callable[..., object], loss: object) -> None:
    """Give `loss` the name and docstring of `source`, which help() and pickle see."""
    for name in ("__module__", "__name__", "__qualname__", "__doc__"):
        setattr(loss, name, getattr(source, name))
