"""From explicit ratings to implicit feedback, and users with enough of it."""

import pandas as pd

from collie_core.utils.columns import finite_ratings, require_columns


def convert_to_implicit(
    explicit_df: pd.DataFrame,
    min_rating_to_keep: float = 4,
    user_col: str = "user_id",
    item_col: str = "item_id",
    ratings_col: str = "rating",
) -> pd.DataFrame:
    """Return the rows rated at least `min_rating_to_keep`, one a pair, each with a rating of 1.

    Rows keep their order and other columns, with a new index; of a pair that comes twice, the
    first row that is rated high enough is kept.

    Parameters
    ----------
    explicit_df : one row a rating.
    min_rating_to_keep : the lowest rating that counts as an interaction.
    user_col, item_col, ratings_col : names of the columns.

    Raises
    ------
    ValueError
        If a column is missing, or a rating is NaN or infinite.
    TypeError
        If ratings are not numbers.
    """
    require_columns(explicit_df, user_col, item_col, ratings_col)
    is_kept = finite_ratings(explicit_df, ratings_col) >= min_rating_to_keep
    kept = explicit_df[is_kept].drop_duplicates([user_col, item_col], ignore_index=True)
    return kept.assign(**{ratings_col: 1})


def remove_users_with_fewer_than_n_interactions(
    df: pd.DataFrame, min_num_of_interactions: int = 3, user_col: str = "user_id"
) -> pd.DataFrame:
    """Return the rows of users who appear at least `min_num_of_interactions` times.

    Rows keep their order, with a new index.

    Raises
    ------
    ValueError
        If the column is missing.
    """
    require_columns(df, user_col)
    counts = df.groupby(user_col, sort=False, dropna=False)[user_col].transform("size")
    return df[counts >= min_num_of_interactions].reset_index(drop=True)
