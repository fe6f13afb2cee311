"""What both hybrid models share: embeddings and metadata side by side, through dense layers."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from collie_core.model.base import BasePipeline
from collie_core.model.metadata import (
    Features,
    Metadata,
    as_features,
    beside,
    check_rows,
    combined,
)
from collie_core.model.scoring import Side, TwoSided

SIDES = ("user", "item")


class Hybrid(TwoSided, BasePipeline):
    """Dense layers over a user's and an item's embeddings and metadata, plus both biases.

    Parameters of the models
    ------------------------
    item_metadata, user_metadata : (N, F) and (U, F) numbers, none missing; one of them may be None.
    item_metadata_layers_dims, user_metadata_layers_dims : outputs of layers over each alone; None
        for none. The reference's `metadata_layers_dims` is the first.
    combined_layers_dims : outputs of the layers over everything, before the last, of one.
    dropout_p : probability of dropping an output of a layer while training.
    """

    user_features: Metadata | None
    item_features: Metadata | None

    @property
    def user_metadata(self) -> Tensor | None:
        """The features of the users, (U, F)."""
        return None if self.user_features is None else self.user_features.features

    @property
    def item_metadata(self) -> Tensor | None:
        """The features of the items, (N, F)."""
        return None if self.item_features is None else self.item_features.features

    def _setup_metadata(self, vector_sizes: Sequence[int], kwargs: Mapping[str, Any]) -> None:
        """Make the layers; features come from the call, or room for them from a bundle's sizes."""
        counts = {"user": self.num_users, "item": self.num_items}
        dropout_p, sizes = self.hparams["dropout_p"], []
        for side, vector_size in zip(SIDES, vector_sizes, strict=True):
            name = f"{side}_metadata"
            features, columns = kwargs.get(name), self.hparams[f"{name}_num_cols"]
            check_rows(name, features, counts[side])
            if features is None and columns:
                features = torch.zeros(counts[side], columns)
            dims = self.hparams[f"{name}_layers_dims"]
            metadata = None if features is None else Metadata(features, dims, dropout_p)
            setattr(self, f"{side}_features", metadata)
            sizes.append(vector_size + (0 if metadata is None else metadata.size))
        self.combined = combined(sizes, self.hparams["combined_layers_dims"], dropout_p)

    def _side(self, side: str, numbers: Tensor, vectors: Tensor, biases: nn.Module) -> Side:
        return beside(getattr(self, f"{side}_features"), numbers, vectors), biases(numbers)

    def match(self, user: Side, item: Side) -> Tensor:
        """Score users' sides against items': (...)."""
        (user_vectors, user_biases), (item_vectors, item_biases) = user, item
        scores: Tensor = self.combined(user_vectors, item_vectors) + user_biases + item_biases
        return scores.squeeze(-1)

    def save_model(self, path: str | Path = "data/model", overwrite: bool = False) -> None:
        """Save the model with its metadata as a folder, or as one file where `path` has a suffix.

        Raises
        ------
        ValueError
            If there is something at `path`, and `overwrite` is False.
        """
        path = Path(path)
        if not overwrite and path.exists() and not (path.is_dir() and not any(path.iterdir())):
            raise ValueError(f"{path} is there already: pass overwrite=True, or another path")
        super().save_model(path)


def hybrid_hyperparameters(
    item_metadata: Features | None,
    user_metadata: Features | None,
    metadata_layers_dims: Sequence[int] | None,
    item_metadata_layers_dims: Sequence[int] | None,
    user_metadata_layers_dims: Sequence[int] | None,
    *,
    is_loaded: bool,
) -> dict[str, Any]:
    """Return the checked features of both sides, and their sizes as hyperparameters.

    Raises
    ------
    ValueError
        If there are none at all, though no model `is_loaded`; a value is refused (see
        `as_features`); layers are given twice, or for a side without features.
    """
    if metadata_layers_dims is not None and item_metadata_layers_dims is not None:
        raise ValueError("metadata_layers_dims is item_metadata_layers_dims: give one of them")
    dims = {
        "item": item_metadata_layers_dims or metadata_layers_dims,
        "user": user_metadata_layers_dims,
    }
    features = {
        "item": as_features("item_metadata", item_metadata),
        "user": as_features("user_metadata", user_metadata),
    }
    if not is_loaded and all(each is None for each in features.values()):
        raise ValueError("item_metadata and user_metadata are None: pass one, or both")
    own: dict[str, Any] = {}
    for side, table in features.items():
        if dims[side] and table is None and not is_loaded:
            raise ValueError(f"{side}_metadata is None, but has layers {dims[side]}: pass it")
        own[f"{side}_metadata"] = table
        own[f"{side}_metadata_num_cols"] = None if table is None else table.shape[1]
        own[f"{side}_metadata_layers_dims"] = list(dims[side] or []) or None
    return own
