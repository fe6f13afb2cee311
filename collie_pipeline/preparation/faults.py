"""Why rows are refused: a closed list, and the first of them for each row."""

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
import numpy.typing as npt
import pandas as pd

REASONS: Mapping[str, str] = MappingProxyType(
    {
        "ragged_row": "the line has more fields than the header, and stands whole in user_id",
        "missing_user_id": "user_id is null, empty, blank or nan",
        "missing_item_id": "item_id is null, empty, blank or nan",
        "negative_id": "user_id or item_id is a number below zero",
        "fractional_id": "user_id or item_id is a number with a fraction",
        "absurd_id": "user_id or item_id is infinite, 2**63 or more, longer than 256 characters, "
        "or holds a control character, one that cannot be seen (a blank of no width, a mark of "
        "direction, a joiner at an end), or U+FFFD, which stands for text that was lost",
        "missing_rating": "rating is null, empty, blank or nan where the source has ratings",
        "unparsable_rating": "rating is not a number",
        "infinite_rating": "rating is infinite, or too large for float32",
        "rating_out_of_range": "rating is outside prepare.rating_range",
        "missing_timestamp": "timestamp is null, empty or blank",
        "unparsable_timestamp": "timestamp is not a point in time in the source's unit",
        "absurd_timestamp": "timestamp is before 1971 or after 2200, as one in another unit is",
        "timestamp_outside_week": "timestamp is not in the week the row was read for, but in one "
        "that has not begun",
        "duplicate_row": "user_id, item_id, rating and timestamp are those of an earlier row",
    }
)


class Faults:
    """What is wrong with each of some rows: the first fault that is marked stays."""

    def __init__(self, num_rows: int) -> None:
        self._codes = np.full(num_rows, -1, dtype=np.int8)

    @property
    def sound(self) -> npt.NDArray[np.bool_]:
        """Whether nothing is wrong with a row, (B,)."""
        return np.asarray(self._codes < 0)

    def mark(self, rows: npt.NDArray[np.bool_], reason: str) -> None:
        """Mark `rows` (B,) with `reason`, one of `REASONS`, where nothing is wrong yet."""
        if rows.any():
            self._codes[rows & self.sound] = list(REASONS).index(reason)

    def reasons(self) -> "pd.Series[str]":
        """Return the reasons of the rows that are not sound, by row."""
        refused = np.flatnonzero(~self.sound)
        names = np.array(list(REASONS), dtype=object)[self._codes[refused]]
        return pd.Series(names, index=refused, dtype="str")
