"""Times of rows as one array that can be sorted, and bounds to compare them with."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Bound = int | float | str | np.datetime64 | pd.Timestamp


def instants(timestamps: Any) -> NDArray[Any]:
    """Return times (B,) as numbers, or as datetime64 in UTC.

    Raises
    ------
    ValueError
        If a time is missing; the message names the row.
    TypeError
        If they are neither numbers nor datetimes.
    """
    column = pd.Series(timestamps)
    if (missing := column.isna().to_numpy()).any():
        row = int(missing.argmax())
        raise ValueError(f"timestamp at row {row} is missing: drop the row or fill it in")
    if isinstance(column.dtype, pd.DatetimeTZDtype):
        column = column.dt.tz_convert("UTC").dt.tz_localize(None)
    times = column.to_numpy()
    if times.dtype.kind not in "iufM":
        raise TypeError(
            f"timestamps are {column.dtype}, must be numbers or datetimes: use pandas.to_datetime"
        )
    return times


def bound_like(times: NDArray[Any], bound: Bound | None) -> Any:
    """Return `bound` in the form of `times`, or None.

    Raises
    ------
    TypeError
        If one is a number and the other is not.
    """
    if bound is None:
        return None
    if (times.dtype.kind == "M") == isinstance(bound, (int, float, np.number)):
        raise TypeError(f"bound {bound!r} and timestamps of {times.dtype} cannot be compared")
    if times.dtype.kind != "M":
        return bound
    instant = pd.Timestamp(bound)
    return (instant.tz_convert(None) if instant.tzinfo else instant).to_datetime64()
