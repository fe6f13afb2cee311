"""Interactions of users with items: in memory, on disk, and loaded in batches."""

from typing import TYPE_CHECKING, Any

from collie_core.interactions.base import BaseInteractions
from collie_core.interactions.explicit import ExplicitInteractions
from collie_core.interactions.hdf5 import HDF5Interactions, read_hdf5
from collie_core.interactions.hdf5_file import read_columns, read_ids
from collie_core.interactions.implicit import Interactions
from collie_core.interactions.negative_sampling import NegativeSampler

if TYPE_CHECKING:
    from collie_core.interactions.loaders import (
        ApproximateNegativeSamplingInteractionsDataLoader,
        HDF5InteractionsDataLoader,
        InteractionsDataLoader,
    )

__all__ = [
    "ApproximateNegativeSamplingInteractionsDataLoader",
    "BaseInteractions",
    "ExplicitInteractions",
    "HDF5Interactions",
    "HDF5InteractionsDataLoader",
    "Interactions",
    "InteractionsDataLoader",
    "NegativeSampler",
    "read_columns",
    "read_hdf5",
    "read_ids",
]


def __getattr__(name: str) -> Any:
    """Return a loader: they alone need torch, which takes a second to import."""
    if name in __all__:
        from collie_core.interactions import loaders

        return getattr(loaders, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
