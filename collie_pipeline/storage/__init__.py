"""Files on disk: tables, HDF5, bundles and publications, each whole or not there."""

from collie_pipeline.storage.checksums import is_sound, read_table, recording, verify
from collie_pipeline.storage.io_managers import BundleIO, Hdf5IO, ParquetIO, Trained
from collie_pipeline.storage.pages import PageIO
from collie_pipeline.storage.pointer import current, previous, read_history, serving_before
from collie_pipeline.storage.publication import Publication, find, publications
from collie_pipeline.storage.publishing import publish, rollback, take_over
from collie_pipeline.storage.retention import made_at, prune
from collie_pipeline.storage.staging import collect

__all__ = [
    "BundleIO",
    "Hdf5IO",
    "PageIO",
    "ParquetIO",
    "Publication",
    "Trained",
    "collect",
    "current",
    "find",
    "is_sound",
    "made_at",
    "previous",
    "prune",
    "publications",
    "publish",
    "read_history",
    "read_table",
    "recording",
    "rollback",
    "serving_before",
    "take_over",
    "verify",
]
