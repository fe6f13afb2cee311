"""Functions that prepare data, and a few tools."""

from collie_core.utils.arguments import get_init_arguments
from collie_core.utils.hdf5 import pandas_df_to_hdf5
from collie_core.utils.html import df_to_html
from collie_core.utils.implicit import (
    convert_to_implicit,
    remove_users_with_fewer_than_n_interactions,
)
from collie_core.utils.initialisation import trunc_normal
from collie_core.utils.ratings_matrix import create_ratings_matrix, df_to_interactions
from collie_core.utils.timer import Timer

__all__ = [
    "Timer",
    "convert_to_implicit",
    "create_ratings_matrix",
    "df_to_html",
    "df_to_interactions",
    "get_init_arguments",
    "pandas_df_to_hdf5",
    "remove_users_with_fewer_than_n_interactions",
    "trunc_normal",
]
