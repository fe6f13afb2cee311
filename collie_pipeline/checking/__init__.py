"""What is wrong with a table or a file, as findings: plain functions, called by the assets."""

from collie_pipeline.checking.finding import Finding
from collie_pipeline.checking.lists import (
    coverage,
    new_lists,
    similar_lists,
    unseen,
    whole_lists,
)
from collie_pipeline.checking.made import as_hashed, finite, metrics
from collie_pipeline.checking.parts import in_order, separate
from collie_pipeline.checking.rows import (
    known_items,
    ranges,
    schema,
    unique_ids,
    unique_rows,
    volume,
)

__all__ = [
    "Finding",
    "as_hashed",
    "coverage",
    "finite",
    "in_order",
    "known_items",
    "metrics",
    "new_lists",
    "ranges",
    "schema",
    "separate",
    "similar_lists",
    "unique_ids",
    "unique_rows",
    "unseen",
    "volume",
    "whole_lists",
]
