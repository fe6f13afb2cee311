"""Initial values of weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Generator, Tensor


def trunc_normal(
    embedding_weight: Tensor,
    mean: float = 0.0,
    std: float = 1.0,
    *,
    generator: Generator | None = None,
) -> Tensor:
    """Return `embedding_weight`, filled in place from a normal cut at two deviations.

    As in fastai, what lies beyond is folded back by the remainder, which is quick and close to a
    truncated normal.

    Parameters
    ----------
    embedding_weight : weights of any shape, with or without gradient.
    mean, std : of the normal before it is cut.
    generator : to draw with; None takes torch's own, like all of `torch.nn.init`.
    """
    weights = embedding_weight.detach()  # the same memory, outside of the gradient
    weights.normal_(generator=generator).fmod_(2).mul_(std).add_(mean)
    return embedding_weight
