"""How much the lists changed since the last publication."""

import pandas as pd

from collie_pipeline.checking import Finding
from collie_pipeline.storage import Publication

EVERYBODY = "all"
SEGMENTS = (EVERYBODY, "champion", "popularity")


def published_lists(serving: Publication | None) -> pd.DataFrame | None:
    """Return the users' lists in the publication `serving`; None if nothing serves."""
    columns = ["user_id", "rank", "item_id"]
    return None if serving is None else serving.read("users", columns)


def churn(lists: pd.DataFrame, earlier: pd.DataFrame | None) -> pd.DataFrame:
    """Return one row a segment: how much of users' earlier lists is left in `lists`.

    Parameters
    ----------
    lists : user_id, rank, item_id and source; rank 0 is no item.
    earlier : the lists of the publication before; None for the first.

    Returns
    -------
    `segment` (all users, or those whose list is the champion's or the popular items), `users`,
    `new_users` without an earlier list, and over the others `kept`, the mean share of the earlier
    list that is still listed, and `first_changed`, the share with another first item: NaN where
    nobody has an earlier list. A list that is gone altogether keeps nothing.
    """
    by_user = _by_user(lists, lists.iloc[:0] if earlier is None else earlier)
    rows = []
    for segment in SEGMENTS:
        chosen = by_user if segment == EVERYBODY else by_user[by_user["source"] == segment]
        again = chosen[chosen["had"] > 0]
        rows.append(
            {
                "segment": segment,
                "users": len(chosen),
                "new_users": len(chosen) - len(again),
                "kept": (again["kept"] / again["had"]).mean(),
                "first_changed": (again["first"] != again["had_first"]).mean(),
            }
        )
    return pd.DataFrame(rows).astype({"kept": "float64", "first_changed": "float64"})


def _by_user(lists: pd.DataFrame, earlier: pd.DataFrame) -> pd.DataFrame:
    """Return for each user of `lists` the sizes, the common items and the first items."""
    now, then = lists[lists["rank"] > 0], earlier[earlier["rank"] > 0]
    common = now[["user_id", "item_id"]].merge(then[["user_id", "item_id"]])
    first_now, first_then = (
        each[each["rank"] == 1].set_index("user_id")["item_id"] for each in (now, then)
    )
    columns = {
        "source": now.groupby("user_id")["source"].first(),
        "kept": common.groupby("user_id").size(),
        "had": then.groupby("user_id").size(),
        "first": first_now,
        "had_first": first_then,
    }
    users = pd.Index(lists["user_id"].unique())
    table = pd.DataFrame({name: column.reindex(users) for name, column in columns.items()})
    return table.fillna({"kept": 0, "had": 0})


def calm(table: pd.DataFrame, max_churn: float | None) -> Finding:
    """Find whether the lists of `churn` changed by no more than `max_churn`; None allows any."""
    compared = table.dropna(subset="kept").set_index("segment")
    if compared.empty:
        return Finding(True, "nobody had a list before: there is nothing to compare", warns=True)
    changed, firsts = 1 - compared["kept"], compared["first_changed"]
    share, first = float(changed[EVERYBODY]), float(firsts[EVERYBODY])
    asked = "" if max_churn is None else f", at most {max_churn:.1%} should: raise checks.max_churn"
    return Finding(
        max_churn is None or share <= max_churn,
        f"{share:.1%} of the earlier lists' items are gone{asked}; {first:.1%} of users have "
        "another first item",
        {f"churn_{segment}": float(value) for segment, value in changed.items()}
        | {"first_changed": first},
        warns=True,
    )
