"""Where else a publication is put: DuckDB, PostgreSQL, and vectors for an index."""

from collie_pipeline.exports.exporting import (
    TARGETS,
    Exported,
    ExportError,
    NotServingError,
    compared,
    export,
    targets,
)
from collie_pipeline.exports.target import Held, Target

__all__ = [
    "TARGETS",
    "ExportError",
    "Exported",
    "Held",
    "NotServingError",
    "Target",
    "compared",
    "export",
    "targets",
]
