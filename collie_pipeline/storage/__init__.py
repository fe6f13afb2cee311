"""Files on disk: tables, HDF5, bundles and publications, each whole or not there."""

from collie_pipeline.storage.io_managers import BundleIO, Hdf5IO, ParquetIO, Trained
from collie_pipeline.storage.pages import PageIO
from collie_pipeline.storage.publishing import (
    Publication,
    current,
    publications,
    publish,
    serving_before,
)

__all__ = [
    "BundleIO",
    "Hdf5IO",
    "PageIO",
    "ParquetIO",
    "Publication",
    "Trained",
    "current",
    "publications",
    "publish",
    "serving_before",
]
