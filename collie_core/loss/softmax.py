"""Cross-entropy of the positive item among all items, or estimated from sampled negatives."""

import math

import torch
from torch import Tensor

from collie_core.loss.credit import Metadata, Weights, ideal_difference_from_metadata


def softmax_loss(
    positive_scores: Tensor,
    many_negative_scores: Tensor,
    num_items: int | None = None,
    positive_items: Tensor | None = None,
    negative_items: Tensor | None = None,
    metadata: Metadata | None = None,
    metadata_weights: Weights | None = None,
) -> Tensor:
    """Return the sampled softmax loss, with the correction for how negatives are drawn.

    The softmax over all items divides by the sum of exp(score) over them. Of its negative part the
    K negatives, each drawn with the probability q, estimate it as the sum of exp(score) / (K · q)
    (Bengio and Senécal, AISTATS 2003; IEEE Transactions on Neural Networks, 2008), which is to take
    log(K · q) off their scores (Yi et al., RecSys 2019). Ours are drawn uniformly, q = 1 / (N - 1);
    without the correction the loss would depend on K. With each other item once it is exact.

    Parameters
    ----------
    positive_scores : (B,)
    many_negative_scores : (K, B)
    num_items : N, all there are.
    positive_items, negative_items, metadata, metadata_weights : see
        `ideal_difference_from_metadata`; what a negative item is credited, its part of the sum is
        lowered by.

    Raises
    ------
    ValueError
        If `num_items` is not given, or less than 2.
    """
    if num_items is None or num_items < 2:
        raise ValueError(
            f"num_items is {num_items}, must be at least 2: the softmax is over all items, pass "
            "how many there are"
        )
    ideal = ideal_difference_from_metadata(
        positive_items, negative_items, metadata, metadata_weights
    )
    correction = math.log((num_items - 1) / len(many_negative_scores))
    negatives = many_negative_scores + correction + ideal.log()
    logits = torch.cat([positive_scores[None], negatives])
    return (logits.logsumexp(dim=0) - positive_scores).mean()


def full_softmax_loss(
    all_scores: Tensor, positive_items: Tensor, places: Tensor | None = None
) -> Tensor:
    """Return the softmax loss over all items: the mean of -log softmax(scores)[positive item].

    It is the multinomial likelihood of what users have (Liang et al., WWW 2018). A user's scores
    serve all positive items of that user, so that batches of whole users cost least.

    Parameters
    ----------
    all_scores : (U', N) scores of every item, a row for each user of the batch.
    positive_items : (B,)
    places : (B,) the row of each positive item's user; without it there is a row for each (U' = B).
    """
    if places is None:
        places = torch.arange(len(positive_items), device=positive_items.device)
    return -all_scores.log_softmax(dim=1)[places, positive_items].mean()
