"""Losses of one negative item out of many, which their scores choose."""

from collections.abc import Callable

from torch import Tensor

from collie_core.loss.credit import Metadata, Weights, ideal_difference_from_metadata
from collie_core.loss.pairwise import Penalty, mean_with_square, named_after

Choice = tuple[Tensor, Tensor | None]
Choose = Callable[[Tensor, Tensor, int | None], Choice]


class OneOfMany:
    """Loss of the pair of a positive item and that one of its K negative items that is chosen.

    The scores of the others have no gradient. So training has `choose` look at scores without one,
    and computes those of the two items of each pair anew for `of_pair`: the same loss and the same
    gradient, at the cost of two items instead of K + 1.

    Parameters
    ----------
    penalty : of the gap between both scores, and the ideal gap, (B,) or ().
    chosen : takes the ideal gap less the gap of each negative item (K, B), the scores of those
        (K, B) and the number of items; returns which it is (B,), and the weight of its penalty
        (B,), None for 1. Its name and docstring become those of the loss.
    """

    __name__: str

    def __init__(self, penalty: Penalty, chosen: Choose) -> None:
        self.penalty, self.chosen = penalty, chosen
        named_after(chosen, self)

    def __reduce__(self) -> str:
        return self.__name__  # there is one of each, as of functions

    def choose(
        self,
        positive_scores: Tensor,
        many_negative_scores: Tensor,
        num_items: int | None = None,
        positive_items: Tensor | None = None,
        negative_items: Tensor | None = None,
        metadata: Metadata | None = None,
        metadata_weights: Weights | None = None,
    ) -> Choice:
        """Return which negative item it is (B,), and the weight of its penalty (B,), None for 1."""
        ideal = ideal_difference_from_metadata(
            positive_items, negative_items, metadata, metadata_weights
        )
        shortfalls = ideal - positive_scores + many_negative_scores
        return self.chosen(shortfalls, many_negative_scores, num_items)

    def of_pair(
        self,
        positive_scores: Tensor,
        negative_scores: Tensor,
        weights: Tensor | None = None,
        positive_items: Tensor | None = None,
        negative_items: Tensor | None = None,
        metadata: Metadata | None = None,
        metadata_weights: Weights | None = None,
    ) -> Tensor:
        """Return the mean loss () of positive items and the negative ones chosen, all (B,)."""
        ideal = ideal_difference_from_metadata(
            positive_items, negative_items, metadata, metadata_weights
        )
        penalties = self.penalty(positive_scores - negative_scores, ideal)
        return mean_with_square(penalties if weights is None else weights * penalties)

    def __call__(
        self,
        positive_scores: Tensor,
        many_negative_scores: Tensor,
        num_items: int | None = None,
        positive_items: Tensor | None = None,
        negative_items: Tensor | None = None,
        metadata: Metadata | None = None,
        metadata_weights: Weights | None = None,
    ) -> Tensor:
        """Return the mean loss () over scores of positive (B,) and of negative items (K, B)."""
        which, weights = self.choose(
            positive_scores.detach(),
            many_negative_scores.detach(),
            num_items,
            positive_items,
            negative_items,
            metadata,
            metadata_weights,
        )
        return self.of_pair(
            positive_scores,
            many_negative_scores.gather(0, which[None])[0],
            weights,
            positive_items,
            None if negative_items is None else negative_items.gather(0, which[None])[0],
            metadata,
            metadata_weights,
        )


def one_of_many(penalty: Penalty) -> Callable[[Choose], OneOfMany]:
    """Make a loss with `penalty` of a function that chooses; see `OneOfMany`."""
    return lambda chosen: OneOfMany(penalty, chosen)
