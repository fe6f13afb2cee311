"""The rolling window as encoded positives."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

Keys = npt.NDArray[np.str_]


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
        moments = pd.Series(self.timestamps.astype("datetime64[us]")).dt.tz_localize("UTC")
        ids = {"user_id": self.user_ids[self.users], "item_id": self.item_ids[self.items]}
        return pd.DataFrame({**ids, "timestamp": moments}).astype(dict.fromkeys(ids, "str"))


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
    liked = window[window["rating"].isna() | (window["rating"] >= min_rating)]
    liked = liked.sort_values(["timestamp", "user_id", "item_id"], kind="stable")
    pairs = liked.drop_duplicates(["user_id", "item_id"], keep="last")
    users = pd.factorize(pairs["user_id"])[0]
    items = pd.factorize(pairs["item_id"])[0]
    kept = _often_enough(users, items, min_user_interactions, min_item_interactions)
    if not kept.any():
        raise ValueError(
            f"nothing is left of {len(window)} clean rows: {len(liked)} have a rating of at least "
            f"{min_rating} (prepare.min_rating), {len(pairs)} are distinct pairs, and 0 belong to "
            f"users with {min_user_interactions} (prepare.min_user_interactions) and items with "
            f"{min_item_interactions} (prepare.min_item_interactions): lower these settings or "
            "widen window_weeks"
        )
    return encode(pairs[kept])


def microseconds(timestamps: "pd.Series[pd.Timestamp]") -> npt.NDArray[np.int64]:
    """Return `timestamps`, in UTC, as microseconds since 1970: (B,)."""
    return timestamps.dt.tz_convert(None).to_numpy("datetime64[us]").astype(np.int64)


def _often_enough(
    users: npt.NDArray[np.intp], items: npt.NDArray[np.intp], min_user: int, min_item: int
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


def encode(pairs: pd.DataFrame) -> Encoded:
    """Return positives, (B, ...) with user_id, item_id and timestamp, with integers for ids."""
    users, user_ids = _codes(pairs["user_id"])
    items, item_ids = _codes(pairs["item_id"])
    moments = microseconds(pairs["timestamp"])
    order = np.lexsort((items, users, moments))
    return Encoded(user_ids, item_ids, users[order], items[order], moments[order])


def _codes(ids: pd.Series) -> tuple[npt.NDArray[np.int32], Keys]:
    # Ids are ordered by code point, on every machine: a locale would order them otherwise.
    codes, distinct = pd.factorize(ids)
    known = np.asarray(distinct.tolist(), dtype=np.str_)
    order = np.argsort(known, kind="stable")
    place = np.empty(len(known), dtype=np.int32)
    place[order] = np.arange(len(known), dtype=np.int32)
    return place[codes], known[order]
