"""Bayesian personalised ranking."""

import torch
from torch import Tensor

from collie_core.loss.pairwise import pairwise


@pairwise
def bpr_loss(gap: Tensor, ideal: Tensor) -> Tensor:
    """Return the modified BPR loss: x = ideal - sigmoid(gap) (Rendle et al., UAI 2009)."""
    return ideal - torch.sigmoid(gap)
