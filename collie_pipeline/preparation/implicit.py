"""The rolling window as encoded positives."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from collie_core.allocator import giving_memory_back
from collie_pipeline.preparation.ids import numbered

Keys = npt.NDArray[np.str_]
BLOCKS = 16  # of users, whose pairs are hashed at once: all at once are the most of the memory


@dataclass(frozen=True)
class Encoded:
    """Positives with integers for ids, sorted by timestamp, user, item; each pair once.

    Parameters
    ----------
    user_ids, item_ids : (U,), (N,) outside ids, sorted: the code of an id is its place.
    users, items : (B,) int32 codes.
    timestamps : (B,) int64, microseconds since 1970 UTC.
    """

    user_ids: Keys
    item_ids: Keys
    users: npt.NDArray[np.int32]
    items: npt.NDArray[np.int32]
    timestamps: npt.NDArray[np.int64]

    @property
    def num_interactions(self) -> int:
        """How many positives there are."""
        return len(self.users)

    def table(self) -> pd.DataFrame:
        """Return the positives by outside id, (B, 3): user_id, item_id, timestamp."""
        columns = {
            "user_id": pd.Categorical.from_codes(self.users, pd.Index(self.user_ids, dtype="str")),
            "item_id": pd.Categorical.from_codes(self.items, pd.Index(self.item_ids, dtype="str")),
            "timestamp": pd.Series(self.timestamps).astype("datetime64[us, UTC]"),
        }
        return pd.DataFrame(columns)


@giving_memory_back
def implicit(
    window: pd.DataFrame,
    min_rating: float = 4.0,
    min_user_interactions: int = 5,
    min_item_interactions: int = 1,
) -> Encoded:
    """Return the positives of a window of clean rows, of users and items that have enough of them.

    A row is a positive if its rating is at least `min_rating`, or if it has none. The latest of a
    pair's rows stays. Taking away users may leave items with too few and the other way round, so
    both minima are asked until nothing more goes.

    Raises
    ------
    ValueError
        If nothing is left; the message counts the rows after each step.
    """
    is_liked = window["rating"].isna() | (window["rating"] >= min_rating)
    pairs = _latest(encode(window.loc[is_liked, ["user_id", "item_id", "timestamp"]]))
    kept = _often_enough(pairs.users, pairs.items, min_user_interactions, min_item_interactions)
    if not kept.any():
        raise ValueError(
            f"nothing is left of {len(window)} clean rows: {is_liked.sum()} have a rating of at "
            f"least {min_rating} (prepare.min_rating), {len(pairs.users)} are distinct pairs, and "
            f"0 belong to users with {min_user_interactions} (prepare.min_user_interactions) and "
            f"items with {min_item_interactions} (prepare.min_item_interactions): lower these "
            "settings or widen window_weeks"
        )
    return _part(pairs, kept)


def refuse_mixed(window: pd.DataFrame) -> None:
    """Refuse a window of clean rows some of which have ratings: the others would all be positives.

    Raises
    ------
    ValueError
        If so.
    """
    unrated = window["rating"].isna()
    if unrated.any() and not unrated.all():
        weeks = window.loc[unrated, "timestamp"].dt.strftime("%Y-%m-%d")
        raise ValueError(
            f"{int(unrated.sum())} of {len(window)} rows of the window, of {weeks.min()} to "
            f"{weeks.max()}, have no rating, must all have one or none: name the column of ratings "
            "in files.columns or sql.columns, leave these weeks out by start, or set "
            "prepare.unrated_are_positives = true"
        )


def microseconds(timestamps: "pd.Series[pd.Timestamp]") -> npt.NDArray[np.int64]:
    """Return `timestamps`, in UTC, as microseconds since 1970: (B,)."""
    return timestamps.dt.tz_convert(None).to_numpy("datetime64[us]").astype(np.int64)


def _often_enough(
    users: npt.NDArray[np.int32], items: npt.NDArray[np.int32], min_user: int, min_item: int
) -> npt.NDArray[np.bool_]:
    kept = np.ones(len(users), dtype=np.bool_)
    while kept.any():
        user_counts, item_counts = np.bincount(users[kept]), np.bincount(items[kept])
        user_counts = np.pad(user_counts, (0, users.max() + 1 - len(user_counts)))
        item_counts = np.pad(item_counts, (0, items.max() + 1 - len(item_counts)))
        enough = kept & (user_counts[users] >= min_user) & (item_counts[items] >= min_item)
        if enough.sum() == kept.sum():
            break
        kept = enough
    return kept


def _latest(rows: Encoded) -> Encoded:
    """Return the latest of each pair's rows."""
    again = np.zeros(len(rows.users), dtype=np.bool_)
    for block in range(BLOCKS):
        own = np.flatnonzero(rows.users % BLOCKS == block)
        pairs = pd.Series(rows.users[own].astype(np.int64) << 32 | rows.items[own])
        again[own] = pairs.duplicated(keep="last")
    return _part(rows, ~again)


def _part(rows: Encoded, kept: npt.NDArray[np.bool_]) -> Encoded:
    """Return those of `rows` that are `kept` (B,), and only the ids that they have."""
    users, user_ids = numbered(rows.users[kept], rows.user_ids)
    items, item_ids = numbered(rows.items[kept], rows.item_ids)
    return Encoded(user_ids, item_ids, users, items, rows.timestamps[kept])


def encode(pairs: pd.DataFrame) -> Encoded:
    """Return positives, (B, ...) with user_id, item_id and timestamp, with integers for ids."""
    users, user_ids = _codes(pairs["user_id"])
    items, item_ids = _codes(pairs["item_id"])
    moments = microseconds(pairs["timestamp"])
    if not _is_in_order(moments, users, items):  # one week's clean rows are
        order = np.lexsort((items, users, moments))
        users, items, moments = users[order], items[order], moments[order]
    return Encoded(user_ids, item_ids, users, items, moments)


def _is_in_order(*columns: npt.NDArray[np.integer]) -> bool:
    """Return whether no row comes before the one above it, by the first of `columns` (B,) on."""
    ties = np.ones(max(len(columns[0]) - 1, 0), dtype=np.bool_)
    for column in columns:
        if (ties & (column[1:] < column[:-1])).any():
            return False
        ties &= column[1:] == column[:-1]
    return True


def _codes(ids: pd.Series) -> tuple[npt.NDArray[np.int32], Keys]:
    # Ids are ordered by code point, on every machine: a locale would order them otherwise.
    among = ids.astype("category").cat
    known = np.asarray(among.categories.tolist(), dtype=np.str_)
    order = np.argsort(known, kind="stable")
    place = np.empty(len(known), dtype=np.int32)
    place[order] = np.arange(len(known), dtype=np.int32)
    return numbered(place[among.codes], known[order])
