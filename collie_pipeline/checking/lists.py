"""What is wrong with the lists that are published."""

from collections.abc import Iterable

import pandas as pd

from collie_pipeline.checking.finding import Finding


def whole_lists(lists: pd.DataFrame, known: Iterable[str], k: int) -> Finding:
    """Find whether every known user has items of ranks 1..k, each once, or a reason for fewer.

    Parameters
    ----------
    lists : user_id, rank and item_id; a row with rank 0 is the reason of a list below k.
    known : users who must have a list.
    k : length of the lists.
    """
    listed, reasons = lists[lists["rank"] > 0], lists[lists["rank"] == 0]
    by_user = listed.groupby("user_id")["rank"].agg(["size", "max", "nunique"])
    short = set(lists["user_id"]) - set(by_user.index[by_user["size"] == k])
    gaps = (by_user["max"] != by_user["size"]) | (by_user["nunique"] != by_user["size"])
    counts = {
        "without_list": len(set(known) - set(lists["user_id"])),
        "without_reason": len(short - set(reasons["user_id"])),
        "with_needless_reason": len(set(reasons["user_id"]) - short),
        "with_wrong_ranks": int((gaps | (by_user["size"] > k)).sum()),
        "with_an_item_twice_or_none": listed["user_id"][
            listed.duplicated(["user_id", "item_id"]) | listed["item_id"].isna()
        ].nunique(),
    }
    return Finding(
        not any(counts.values()),
        "; ".join(f"{count} users {name.replace('_', ' ')}" for name, count in counts.items())
        + f": all must have {k} items, or a reason",
        {**counts, "users": lists["user_id"].nunique(), "short_lists": len(short)},
    )


def unseen(lists: pd.DataFrame, clean: pd.DataFrame) -> Finding:
    """Find whether no list has an item that its user has met in the `clean` rows."""
    columns = ["user_id", "item_id"]
    met = lists[columns].dropna().merge(clean[columns].drop_duplicates(), on=columns)
    return Finding(
        met.empty,
        f"{len(met)} recommended items were met by their user in the window, 0 may be",
        {"seen_items": len(met)},
    )


def coverage(lists: pd.DataFrame, num_items: int) -> float:
    """Return the share of the `num_items` candidates that are in somebody's list."""
    return lists["item_id"].nunique() / max(1, num_items)
