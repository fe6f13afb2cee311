"""Partial credit: a negative item that is like the positive one is less of a mistake."""

from collections.abc import Mapping

import torch
from torch import Tensor

Metadata = Mapping[str, Tensor]
Weights = Mapping[str, float]
TOLERANCE = 1e-6  # 0.2 + 0.4 + 0.3 + 0.1 is a little more than 1


def ideal_difference_from_metadata(
    positive_items: Tensor | None,
    negative_items: Tensor | None,
    metadata: Metadata | None,
    metadata_weights: Weights | None,
) -> Tensor:
    """Return the score gap asked of each pair: 1, less the weight of what both items share.

    An item drawn as its own negative is a match of 100 %: nothing is asked of that pair.

    Parameters
    ----------
    positive_items : (B,)
    negative_items : (B,) or (K, B)
    metadata : categorical codes by item, each (N,) or (N, 1).
    metadata_weights : the credit of a match in each of `metadata`.

    Returns
    -------
    () without metadata, else the shape of `negative_items`, in [0, 1].

    Raises
    ------
    ValueError
        If there is metadata, but not the items it is of or the weights that go with it.
    """
    ideal = torch.tensor(1.0)
    if not metadata:
        return ideal
    if positive_items is None or negative_items is None:
        raise ValueError("metadata is given without positive_items and negative_items: pass both")
    weights = metadata_weights or {}
    check_weights(metadata, weights)
    for name, codes in metadata.items():
        flat = codes.flatten()  # (N,) and (N, 1) are both documented
        ideal = ideal - weights[name] * (flat[positive_items] == flat[negative_items])
    return ideal.clamp(min=0).where(positive_items != negative_items, 0.0)


def check_weights(metadata: Metadata, weights: Weights) -> None:
    """Refuse weights that do not go with `metadata`, are negative, or sum to more than 1."""
    if metadata.keys() != weights.keys():
        raise ValueError(
            f"metadata has {sorted(metadata)}, its weights {sorted(weights)}: use the same keys"
        )
    for name, weight in weights.items():
        if not weight >= 0:
            raise ValueError(f"metadata weight {name!r} is {weight}, must be >= 0: start from 0.1")
    if (total := sum(weights.values())) > 1 + TOLERANCE:
        raise ValueError(f"metadata weights sum to {total:g}, must be at most 1: lower them")


def check_metadata(metadata: Metadata, weights: Weights, num_items: int) -> None:
    """Refuse metadata that is not one known code for each of `num_items`, and wrong weights."""
    check_weights(metadata, weights)
    for name, codes in metadata.items():
        if codes.numel() != num_items:
            raise ValueError(
                f"metadata {name!r} has {codes.numel()} codes for {num_items} items: "
                "give one for each item"
            )
        if codes.is_floating_point() and codes.isnan().any():
            first = int(codes.flatten().isnan().nonzero()[0])
            raise ValueError(
                f"metadata {name!r} is NaN for item {first}, must be a code: give it one of its own"
            )
