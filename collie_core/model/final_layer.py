"""The last activation of a model, and the small start of the layers before it."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn.functional import leaky_relu

from collie_core.model.blocks import Activation, Tower
from collie_core.tables import lookup
from collie_core.utils import trunc_normal

FinalLayer = str | Activation | None
FINAL_LAYERS: Mapping[str, Activation] = {
    "leaky_relu": leaky_relu,
    "relu": torch.relu,
    "sigmoid": torch.sigmoid,
}


def unchanged(scores: Tensor) -> Tensor:
    """Return `scores`."""
    return scores


def final_activation(choice: FinalLayer) -> Activation:
    """Return the activation called `choice`, a function as it is, or none for None.

    Raises
    ------
    ValueError
        If there is no such name.
    """
    if choice is None:
        return unchanged
    return lookup("final_layer", FINAL_LAYERS, choice) if isinstance(choice, str) else choice


def start_small(tower: Tower) -> Tower:
    """Return `tower` with small weights and no biases, as He et al. (WWW 2017) begin."""
    for layer in tower.layers():
        trunc_normal(layer.weight, std=0.01)
        nn.init.zeros_(layer.bias)
    return tower
