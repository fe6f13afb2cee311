"""Weighted approximate-rank pairwise loss."""

import torch
from torch import Tensor

from collie_core.loss.credit import Metadata, Weights, ideal_difference_from_metadata
from collie_core.loss.pairwise import mean_with_square


def warp_loss(
    positive_scores: Tensor,
    many_negative_scores: Tensor,
    num_items: int | None = None,
    positive_items: Tensor | None = None,
    negative_items: Tensor | None = None,
    metadata: Metadata | None = None,
    metadata_weights: Weights | None = None,
) -> Tensor:
    """Return the modified WARP loss of the first negative item that ranks too high.

    With the first violation, ideal - positive + negative > 0, at try t of K, the rank of the
    positive item is estimated as (num_items - 1) // t, and x = log(rank + 1) · violation; x = 0
    where no try violates (Weston et al., WSABIE, IJCAI 2011).

    Parameters
    ----------
    positive_scores : (B,)
    many_negative_scores : (K, B)
    num_items : N, all there are.
    positive_items, negative_items, metadata, metadata_weights : see
        `ideal_difference_from_metadata`.

    Raises
    ------
    ValueError
        If `num_items` is not given.
    """
    if num_items is None:
        raise ValueError("num_items is None: WARP estimates a rank among all items, pass how many")
    ideal = ideal_difference_from_metadata(
        positive_items, negative_items, metadata, metadata_weights
    )
    violations = ideal - positive_scores + many_negative_scores
    violates = violations > 0
    tries = violates.to(torch.int8).argmax(dim=0, keepdim=True)  # the first, or 0 where none does
    ranks = (num_items - 1) // (tries + 1)
    weights = torch.log(ranks.to(violations.dtype) + 1)
    first = violations.gather(0, tries) * violates.gather(0, tries)
    return mean_with_square(weights * first)
