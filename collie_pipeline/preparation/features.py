"""What is known of items, as numbers by item: made once, and used by every model that wants it."""

from collections.abc import Sequence

import pandas as pd

UNKNOWN = "unknown"
YEAR = r"\((\d{3})\d\)\s*$"  # at the end of a title: The Third Man (1949)
KEYS = ("item_id", "bucket")


def item_features(
    items: pd.DataFrame, item_ids: Sequence[str], columns: Sequence[str], bucket: str
) -> pd.DataFrame:
    """Return item_id, bucket and a 0 or 1 for each value of `columns`, a row for each item.

    Parameters
    ----------
    items : `raw/items`: item_id, title, genres and whatever else the source knows.
    item_ids : (N,) the items that models know, in the order of their numbers.
    columns : "genres", of which an item may have several, "decade", the one in the title, or any
        other column of `items`.
    bucket : the one of these that names the bucket of an item, by its first value.

    Raises
    ------
    ValueError
        If there is no such column.
    """
    known = items.drop_duplicates("item_id").set_index("item_id").reindex(list(item_ids))
    values = {name: _values(known, name) for name in dict.fromkeys([*columns, bucket])}
    first = values[bucket].str.split("|").str[0]
    table = pd.DataFrame({"item_id": list(item_ids), "bucket": first.to_numpy(dtype=object)})
    flags = [values[name].str.get_dummies("|").add_prefix(f"{name}: ") for name in columns]
    return pd.concat(
        [table, *(each.reset_index(drop=True).astype("float32") for each in flags)], axis=1
    )


def _values(known: pd.DataFrame, name: str) -> "pd.Series[str]":
    """Return the values of an item in a column, with | between several."""
    if name == "decade":
        values = known["title"].astype("str").str.extract(YEAR)[0] + "0s"
    elif name in known.columns:
        values = known[name].astype("str").where(known[name].notna())
    else:
        there = sorted([*known.columns, "decade"])
        raise ValueError(f"items have no column {name!r}, must be one of {there}: set [features]")
    return values.replace("", None).fillna(UNKNOWN).astype("str")
