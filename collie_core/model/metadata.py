"""Features of users and items, and the layers that bring them together with embeddings."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn
from torch.nn.functional import leaky_relu

from collie_core.model.blocks import Tower
from collie_core.model.dropout import Dropout
from collie_core.model.nonlinear_matrix_factorization import xavier

Features = Tensor | pd.DataFrame | np.ndarray[Any, Any]


def as_features(name: str, values: Features | None) -> Tensor | None:
    """Return `values` as (rows, F) float32, or None as it is.

    Raises
    ------
    ValueError
        If they are not two-dimensional, have no columns, or one is NaN or infinite.
    TypeError
        If they are not numbers.
    """
    if values is None:
        return None
    table = values.cpu().numpy() if isinstance(values, Tensor) else np.asarray(values)
    if table.ndim != 2 or not table.shape[1]:
        raise ValueError(f"{name} has shape {table.shape}, must have a row each and columns")
    if table.dtype.kind not in "biuf":
        raise TypeError(f"{name} is of {table.dtype}, must be numbers: encode its columns first")
    features = torch.from_numpy(table.astype(np.float32))
    if not (finite := features.isfinite()).all():
        row, column = (~finite).nonzero()[0].tolist()
        raise ValueError(
            f"{name} is {features[row, column].item()} in row {row}, column {column}, must be "
            "finite: fill it in"
        )
    return features


def check_rows(name: str, features: Tensor | None, count: int) -> None:
    """Refuse features that are not one row for each of `count` users or items."""
    if features is not None and len(features) != count:
        raise ValueError(f"{name} has {len(features)} rows for {count}: give one for each")


class Metadata(nn.Module):
    """The features of users or of items by number, through dense layers if there are any.

    Parameters
    ----------
    features : (N, F)
    dims : outputs of the layers, with leaky ReLU after each; None or empty for none.
    dropout_p : probability of dropping an output of a layer while training.
    """

    features: Tensor

    def __init__(self, features: Tensor, dims: Sequence[int] | None, dropout_p: float) -> None:
        super().__init__()
        self.register_buffer("features", features)
        sizes = [features.shape[1]]
        self.layers = xavier(Tower(sizes, dims, leaky_relu, dropout_p)) if dims else None
        self.dropout = Dropout(dropout_p)
        self.size = [*sizes, *(dims or [])][-1]

    def forward(self, numbers: Tensor) -> Tensor:
        """Return what is known of `numbers` (...): (..., size)."""
        features = self.features[numbers]
        return features if self.layers is None else self.dropout(self.layers(features))


def beside(metadata: nn.Module | None, numbers: Tensor, vectors: Tensor) -> Tensor:
    """Return `vectors` (..., D) with the metadata of `numbers` (...) beside them, if any."""
    return vectors if metadata is None else torch.cat([vectors, metadata(numbers)], dim=-1)


def combined(sizes: Sequence[int], dims: Sequence[int], dropout_p: float) -> Tower:
    """Return layers over both sides, down to a single output."""
    return xavier(Tower(sizes, [*dims, 1], leaky_relu, dropout_p, is_last_activated=False))
