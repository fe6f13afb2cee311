"""What changed between two publications, in whose lists."""

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd
from rich.box import SIMPLE
from rich.markup import escape
from rich.table import Table

from collie_pipeline.boards import as_share
from collie_pipeline.churn import churn
from collie_pipeline.showing import Catalogue
from collie_pipeline.storage import Publication

COLUMNS = ("user_id", "rank", "item_id", "source")
SHOWN = 10


@dataclass(frozen=True)
class Difference:
    """What changed from one publication's lists to another's.

    Parameters
    ----------
    segments : see `churn`.
    users : how many users' lists are the same, have the same items in another order, have other
        items, are new, or are gone.
    items : by item_id, how many lists it came `into` and went `out` of, the most moved first.
    """

    segments: pd.DataFrame
    users: Mapping[str, int]
    items: pd.DataFrame


def difference(before: Publication, after: Publication) -> Difference:
    """Return what changed from `before` to `after`."""
    then, now = (each.read("users", COLUMNS) for each in (before, after))
    return Difference(churn(now, then), _users(then, now), _items(then, now))


def _listed(lists: pd.DataFrame) -> pd.DataFrame:
    return lists[lists["rank"] > 0].sort_values(["user_id", "rank"])


def _users(then: pd.DataFrame, now: pd.DataFrame) -> dict[str, int]:
    lists = [_listed(each).groupby("user_id")["item_id"].agg(tuple) for each in (then, now)]
    both = pd.concat(lists, axis=1, keys=["then", "now"], join="inner")
    pairs = list(zip(both["then"], both["now"], strict=True))
    same = sum(old == new for old, new in pairs)
    alike = sum(set(old) == set(new) for old, new in pairs)
    return {
        "with the same list": same,
        "with the same items in another order": alike - same,
        "with other items": len(pairs) - alike,
        "new": len(lists[1]) - len(pairs),
        "gone": len(lists[0]) - len(pairs),
    }


def _items(then: pd.DataFrame, now: pd.DataFrame) -> pd.DataFrame:
    pairs = [_listed(each).set_index(["user_id", "item_id"]).index for each in (then, now)]
    into, out = pairs[1].difference(pairs[0]), pairs[0].difference(pairs[1])
    counts = {
        name: index.get_level_values("item_id").value_counts()
        for name, index in (("into", into), ("out", out))
    }
    table = pd.DataFrame(counts).fillna(0).astype("int64")
    table["moved"] = table["into"] + table["out"]
    table = table.rename_axis("item_id").reset_index()
    order = table.sort_values(["moved", "item_id"], ascending=[False, True], ignore_index=True)
    return order.drop(columns="moved")


def difference_tables(found: Difference, catalogue: Catalogue) -> list[Table]:
    """Return what changed, for the console: users, segments and the items that moved most."""
    users = Table("lists of users", "", title="Users", title_justify="left", box=SIMPLE)
    for name, count in found.users.items():
        users.add_row(name, f"{count:,}")
    segments = Table(title="Segments", title_justify="left", box=SIMPLE)
    for heading in ("segment", "users", "new", "items kept", "another first item"):
        segments.add_column(heading)
    for row in found.segments.to_dict("records"):
        shares = (as_share(row["kept"]), as_share(row["first_changed"]))
        segments.add_row(str(row["segment"]), f"{row['users']:,}", f"{row['new_users']:,}", *shares)
    items = Table("item", "into", "out of", title="Items", title_justify="left", box=SIMPLE)
    for row in found.items.head(SHOWN).to_dict("records"):
        line = catalogue.line(str(row["item_id"]))
        items.add_row(line, f"{row['into']:,} lists", f"{row['out']:,} lists")
    return [users, segments, items]


def user_difference(
    before: Publication, after: Publication, user_id: str, catalogue: Catalogue
) -> Table:
    """Return one user's lists side by side; an item that the other has not is marked.

    Raises
    ------
    ValueError
        If neither has such a user.
    """
    lists = [_of_user(each, user_id) for each in (before, after)]
    if not any(map(len, lists)):
        raise ValueError(f"no user {user_id!r} in {before.id} or {after.id}: use an id of theirs")
    table = Table("#", title=escape(user_id), title_justify="left", box=SIMPLE, padding=(0, 1))
    for each in (before, after):
        table.add_column(each.id)
    marks = ("-", set(lists[1].values())), ("+", set(lists[0].values()))
    for rank in sorted({*lists[0], *lists[1]}):
        cells = [
            _marked(own.get(rank), mark, others, catalogue)
            for own, (mark, others) in zip(lists, marks, strict=True)
        ]
        table.add_row(str(rank), *cells)
    return table


def _of_user(publication: Publication, user_id: str) -> dict[int, str]:
    lists = _listed(publication.read("users", COLUMNS))
    own = lists[lists["user_id"] == user_id]
    return dict(zip(own["rank"].astype(int), own["item_id"].astype(str), strict=True))


def _marked(item_id: str | None, mark: str, others: set[str], catalogue: Catalogue) -> str:
    if item_id is None:
        return ""
    return f"{' ' if item_id in others else mark} {catalogue.line(item_id)}"
