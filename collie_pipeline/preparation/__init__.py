"""From rows as read to a split window: plain functions, called by the assets of `prepared`."""

from collie_pipeline.preparation.clean import clean
from collie_pipeline.preparation.faults import REASONS
from collie_pipeline.preparation.features import item_features
from collie_pipeline.preparation.hdf5 import read_ids, write_hdf5
from collie_pipeline.preparation.implicit import Encoded, encode, implicit, refuse_mixed
from collie_pipeline.preparation.ratings import rating_folds, ratings, write_ratings
from collie_pipeline.preparation.split import folds

__all__ = [
    "REASONS",
    "Encoded",
    "clean",
    "encode",
    "folds",
    "implicit",
    "item_features",
    "rating_folds",
    "ratings",
    "read_ids",
    "refuse_mixed",
    "write_hdf5",
    "write_ratings",
]
