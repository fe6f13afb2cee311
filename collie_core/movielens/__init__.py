"""The reference's MovieLens 100K functions."""

from collie_core.movielens.metadata import get_movielens_metadata
from collie_core.movielens.read import read_movielens_df, read_movielens_df_item

__all__ = ["get_movielens_metadata", "read_movielens_df", "read_movielens_df_item"]
