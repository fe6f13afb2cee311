"""Splits of interactions into train, validation and test, in memory and on disk."""

from collie_core.cross_validation.folds import random_folds, stratified_folds, time_folds
from collie_core.cross_validation.hdf5 import split_hdf5
from collie_core.cross_validation.splits import random_split, stratified_split, time_split

__all__ = [
    "random_folds",
    "random_split",
    "split_hdf5",
    "stratified_folds",
    "stratified_split",
    "time_folds",
    "time_split",
]
