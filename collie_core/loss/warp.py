"""Weighted approximate-rank pairwise loss."""

import torch
from torch import Tensor

from collie_core.loss.hinge import shortfall
from collie_core.loss.one_of_many import Choice, one_of_many


@one_of_many(shortfall)
def warp_loss(
    shortfalls: Tensor,
    many_negative_scores: Tensor,  # noqa: ARG001 - the adaptive losses'
    num_items: int | None,
) -> Choice:
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
    violates = shortfalls > 0
    first = violates.to(torch.int8).argmax(dim=0)  # or 0 where none does
    ranks = (num_items - 1) // (first + 1)
    weights = torch.log(ranks.to(shortfalls.dtype) + 1)
    return first, weights * violates.gather(0, first[None])[0]
