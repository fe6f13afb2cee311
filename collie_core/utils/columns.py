"""Columns that a data frame must have."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray


def require_columns(df: pd.DataFrame, *names: str) -> None:
    """Refuse a data frame that lacks one of the columns `names`.

    Raises
    ------
    ValueError
        Naming the missing columns, and those there are.
    """
    if missing := [name for name in names if name not in df.columns]:
        raise ValueError(f"no column {missing}, there are {list(df.columns)}: rename or pass names")


def finite_ratings(df: pd.DataFrame, name: str) -> NDArray[Any]:
    """Return the column of ratings (B,), each a finite number.

    Raises
    ------
    ValueError
        If one is missing or infinite; the message names the row.
    TypeError
        If they are not numbers.
    """
    if not pd.api.types.is_numeric_dtype(df[name]):
        raise TypeError(f"{name} is {df[name].dtype}, must be numbers: use pandas.to_numeric")
    ratings = df[name].to_numpy(dtype=np.float64, na_value=np.nan)
    if (bad := np.flatnonzero(~np.isfinite(ratings))).size:
        raise ValueError(
            f"{name} {ratings[bad[0]]} at row {bad[0]} is not finite, and so are {bad.size - 1} "
            "more: drop these rows or fill them in"
        )
    return ratings
