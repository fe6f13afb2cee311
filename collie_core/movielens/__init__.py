"""The reference's MovieLens 100K functions."""

from typing import TYPE_CHECKING, Any

from collie_core.movielens.metadata import get_movielens_metadata, get_user_metadata
from collie_core.movielens.posters import read_movielens_posters_df
from collie_core.movielens.read import (
    read_movielens_df,
    read_movielens_df_item,
    read_movielens_df_user,
)
from collie_core.movielens.visualize import get_recommendation_visualizations

if TYPE_CHECKING:
    from collie_core.movielens.run import run_movielens_example

__all__ = [
    "get_movielens_metadata",
    "get_recommendation_visualizations",
    "get_user_metadata",
    "read_movielens_df",
    "read_movielens_df_item",
    "read_movielens_df_user",
    "read_movielens_posters_df",
    "run_movielens_example",
]


def __getattr__(name: str) -> Any:
    """Return the example: it alone needs torch, which takes a second to import."""
    if name == "run_movielens_example":
        from collie_core.movielens.run import run_movielens_example

        return run_movielens_example
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
