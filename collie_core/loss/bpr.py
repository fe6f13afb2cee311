"""Bayesian personalised ranking."""

import torch
from torch import Tensor

from collie_core.loss.pairwise import pairwise


def unlikelihood(gap: Tensor, ideal: Tensor) -> Tensor:
    """Return what the probability of the right order lacks of the ideal: ideal - sigmoid(gap)."""
    return ideal - torch.sigmoid(gap)


@pairwise
def bpr_loss(gap: Tensor, ideal: Tensor) -> Tensor:
    """Return the modified BPR loss: x = ideal - sigmoid(gap) (Rendle et al., UAI 2009)."""
    return unlikelihood(gap, ideal)
