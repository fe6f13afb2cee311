"""Data frames of ratings as a matrix and as interactions."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse as scipy_sparse

from collie_core.interactions import BaseInteractions, Interactions
from collie_core.utils.columns import require_columns


def create_ratings_matrix(
    df: pd.DataFrame,
    user_col: str = "user_id",
    item_col: str = "item_id",
    ratings_col: str = "rating",
    sparse: bool = False,
) -> NDArray[Any] | scipy_sparse.coo_matrix:
    """Return the ratings as users x items, (U, N): an array, or a `coo_matrix` if `sparse`.

    U and N are the largest ids + 1; ids that never appear have empty rows or columns, and of a
    pair that comes twice the first rating is taken. The reference drops such ids, and treats
    duplicates differently in the two forms.

    Parameters
    ----------
    df : one row a rating.
    user_col, item_col, ratings_col : names of the columns.
    sparse : which form is returned.

    Raises
    ------
    ValueError, TypeError
        If a column is missing, or `BaseInteractions` refuse its values.
    """
    require_columns(df, user_col, item_col, ratings_col)
    interactions = BaseInteractions(
        users=df[user_col], items=df[item_col], ratings=df[ratings_col], allow_missing_ids=True
    )
    return interactions.mat if sparse else np.asarray(interactions.toarray())


def df_to_interactions(
    df: pd.DataFrame,
    user_col: str = "user_id",
    item_col: str = "item_id",
    ratings_col: str | None = "rating",
    **kwargs: Any,
) -> Interactions:
    """Return the rows as `Interactions`.

    Parameters
    ----------
    df : one row an interaction.
    user_col, item_col : names of the columns of ids.
    ratings_col : name of the column of ratings; None stands for ones.
    kwargs : passed to `Interactions`.

    Raises
    ------
    ValueError, TypeError
        If a column is missing, or `Interactions` refuse its values.
    """
    require_columns(df, user_col, item_col, *([] if ratings_col is None else [ratings_col]))
    ratings = None if ratings_col is None else df[ratings_col]
    return Interactions(users=df[user_col], items=df[item_col], ratings=ratings, **kwargs)
