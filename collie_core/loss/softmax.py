"""Cross-entropy of the positive item among all items, estimated from sampled negatives."""

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
