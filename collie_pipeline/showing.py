"""What the pipeline made, for people: tables on the console."""

from collections.abc import Iterator, Mapping
from itertools import zip_longest
from pathlib import Path
from typing import Any

import pandas as pd
from pydantic import BaseModel, SecretStr
from rich.box import SIMPLE
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from collie_pipeline.storage import Publication, read_table
from collie_pipeline.text import harmless, one_line

FEW_USERS = 100  # below, intervals of MAP are about as wide as MAP itself


def read_week(root: Path, key: str, week: str) -> pd.DataFrame:
    """Return the table of the asset `key` of `week`.

    Raises
    ------
    ValueError
        If it was not made yet, or is not what was written.
    """
    path = Path(root, *key.split("/")) / f"{week}.parquet"
    if not path.exists():
        raise ValueError(f"{key} of {week} is not at {path}: make it with `collie run`")
    return read_table(path)


class Catalogue:
    """Titles and genres of the items known by a week."""

    def __init__(self, items: pd.DataFrame) -> None:
        self.items = items.drop_duplicates("item_id").set_index("item_id")

    def title(self, item_id: str) -> str:
        """Return the item's title, or its id where it has none."""
        title = self.items["title"].get(item_id)
        return one_line(title if isinstance(title, str) and title else item_id)

    def genres(self, item_id: str) -> str:
        """Return the item's genres, with commas."""
        genres = self.items["genres"].get(item_id)
        return one_line(genres).replace("|", ", ") if isinstance(genres, str) else ""

    def line(self, item_id: str) -> str:
        """Return the title with the genres, marked up for the console."""
        return f"{escape(self.title(item_id))} [dim]{escape(self.genres(item_id))}[/]"

    def find(self, text: str) -> str:
        """Return the id of the one item that `text` names, by id or by a part of its title.

        Raises
        ------
        ValueError
            If no item or several are meant; the message lists some.
        """
        if text in self.items.index:
            return text
        titles = self.items["title"].fillna("").astype(str)
        hits = titles[titles.str.contains(text, case=False, regex=False)]
        if len(hits) == 1:
            return str(hits.index[0])
        if len(hits) == 0:
            some = ", ".join(f"{t!r}" for t in titles.head(3))
            raise ValueError(
                f"no item is called {text!r}: give an id or part of a title, as {some}"
            )
        some = "; ".join(f"{item} {title}" for item, title in hits.head(8).items())
        raise ValueError(f"{len(hits)} items match {text!r}, must be one: {some}")


def leaderboard_table(board: pd.DataFrame, k: int) -> Table:
    """Return the leaderboard; intervals are those of the bootstrap over users."""
    users, cold = board["users"].iloc[0], board["cold_users"].iloc[0]
    title = f"Leaderboard: {users:,} test users, {cold:,} of them cold"
    if users < FEW_USERS:
        title += "\nSo few users tell little: COLLIE_SPLIT__METHOD=stratified has more"
    table = Table(title=title, title_justify="left", box=SIMPLE, padding=(0, 0))
    table.add_column("model", no_wrap=True)
    names = {"mapk": f"MAP\n@{k}", "ndcg": f"nDCG\n@{k}", "recall": f"recall\n@{k}"}
    names |= {"mrr": "MRR", "auc": "AUC"}
    shown = [*names.items()]
    if "vs_popularity" in board:
        shown.insert(1, ("vs_popularity", "against\npopularity"))
    for _, heading in shown:
        table.add_column(heading, justify="right", no_wrap=True)
    for row in board.to_dict("records"):
        cells = [_cell(row, column) for column, _ in shown]
        table.add_row(str(row["model"]), *cells)
    return table


def segments_table(board: pd.DataFrame, k: int) -> Table:
    """Return for whom, and for which items, the models of the leaderboard are good."""
    columns = {
        "mapk_warm": f"MAP@{k}\nwarm",
        "mapk_cold": f"MAP@{k}\ncold",
        "recall_head": f"recall@{k}\nhead",
        "recall_tail": f"recall@{k}\ntail",
    }
    table = Table(title="Segments", title_justify="left", box=SIMPLE, padding=(0, 0))
    table.add_column("model", no_wrap=True)
    for heading in (*columns.values(), "MB"):
        table.add_column(heading, justify="right", no_wrap=True)
    for row in board.to_dict("records"):
        values = [float(str(row[column])) for column in columns]
        size = f"{float(str(row['bytes'])) / 1e6:,.2f}"
        table.add_row(str(row["model"]), *("–" if v != v else _short(v) for v in values), size)
    return table


def _cell(row: Mapping[object, object], column: str) -> str:
    value, low, high = (float(str(row[column + end])) for end in ("", "_low", "_high"))
    if column not in ("mapk", "vs_popularity"):
        return _short(value)
    sign = "+" if column == "vs_popularity" else ""
    interval = f"{_short(low, sign, 3)}, {_short(high, sign, 3)}"
    return f"{_short(value, sign)}\n[dim]\\[{interval}][/]"


def _short(value: float, sign: str = "", digits: int = 4) -> str:
    """Return `value` without the zero before its point: a line has 80 columns."""
    return f"{value:{sign}.{digits}f}".replace("0.", ".", 1)


def typical_user(positives: pd.DataFrame) -> str:
    """Return the user whose number of liked items is the median; the first by id of those."""
    counts = positives["user_id"].value_counts().sort_index()
    ranked = counts.sort_values(kind="stable")
    median = ranked.iloc[len(ranked) // 2]
    return str(counts[counts == median].index[0])


def user_table(
    publication: Publication, positives: pd.DataFrame, catalogue: Catalogue, user_id: str
) -> Table:
    """Return what `user_id` liked last, beside what is recommended.

    Raises
    ------
    ValueError
        If the publication has no such user.
    """
    lists = publication.read("users", filters=[("user_id", "==", user_id)])
    if lists.empty:
        known = publication.read("users", ["user_id"])["user_id"].unique()
        some = ", ".join(map(str, known[:3]))
        raise ValueError(f"no user {user_id!r} in {publication.id}: use one as {some}")
    theirs = positives[positives["user_id"] == user_id].sort_values("timestamp", ascending=False)
    listed = lists[lists["rank"] > 0]
    source = ", ".join(lists["source"].unique())
    headings = ("#", f"liked ({len(theirs)}, the latest first)", f"recommended ({source})")
    table = Table(
        *headings, title=Text(one_line(user_id)), title_justify="left", box=SIMPLE, padding=(0, 1)
    )
    columns = (theirs["item_id"].head(len(listed)), listed["item_id"])
    cells = ([catalogue.line(item_id) for item_id in column] for column in columns)
    for rank, (liked, recommended) in enumerate(zip_longest(*cells, fillvalue=""), start=1):
        table.add_row(str(rank), liked, recommended)
    return table


def similar_table(publication: Publication, catalogue: Catalogue, item_id: str) -> Table:
    """Return the items most like `item_id`.

    Raises
    ------
    ValueError
        If the publication has no list for it.
    """
    lists = publication.read("similar_items", filters=[("item_id", "==", item_id)])
    if lists.empty:
        raise ValueError(f"{item_id!r} has no similar items in {publication.id}: it is too new")
    title = f"like {catalogue.title(item_id)}"
    table = Table("#", "title", title=Text(title), title_justify="left", box=SIMPLE)
    table.add_column("score", justify="right")
    for row in lists.itertuples():
        table.add_row(str(row.rank), catalogue.line(str(row.similar_item_id)), f"{row.score:.3f}")
    return table


def settings_lines(settings: BaseModel) -> list[str]:
    """Return a line for every setting: its environment variable and present value."""
    return [
        f"COLLIE_{'__'.join(path).upper()} = {harmless(value)}" for path, value in _leaves(settings)
    ]


def _leaves(
    section: BaseModel, above: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name, value in section:
        if isinstance(value, BaseModel):
            yield from _leaves(value, (*above, name))
        else:
            yield (*above, name), "set" if isinstance(value, SecretStr) else value
