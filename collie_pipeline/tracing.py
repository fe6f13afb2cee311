"""From a recommended item back to the rows, the model and the run that it came of."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from collie_core.baselines import EASE, ItemKNN
from collie_core.bundle import Bundle, model_of, read_bundle
from collie_core.files import sha256
from collie_pipeline.preparation.ids import text_ids
from collie_pipeline.storage import Publication, read_table

WEIGHT = "weight"
ROW_COLUMNS = ("user_id", "item_id", "rating", "timestamp", "source_row")


@dataclass(frozen=True)
class Trace:
    """How an item came to be in a list.

    Parameters
    ----------
    publication : where the list is.
    listed : the row of the list: rank, score and source.
    bundle : the model that served.
    rows : the user's raw rows of the window: week, source_row, item_id, rating, timestamp, and
        `liked`, whether the pair is among the positives; what weighed most, or is newest, first.
        Where the model adds up weights of items, `weight` is what each added to the score.
    popularity : how many users of the window like the item.
    changed : weeks whose clean rows are no longer those that the publication was made of.
    """

    publication: Publication
    listed: "pd.Series[Any]"
    bundle: Bundle
    rows: pd.DataFrame
    popularity: int
    changed: Sequence[str]


def trace(root: Path, publication: Publication, user_id: str, item_id: str) -> Trace:
    """Return how `item_id` came to be in the list of `user_id`.

    Raises
    ------
    ValueError
        If it is not there; the message says what is.
    """
    listed = _listed(publication, user_id, item_id)
    bundle = read_bundle(publication.bundle)
    positives = _positives(root, publication)
    rows = raw_rows(root, publication.manifest["window"], user_id)
    own = positives.loc[positives["user_id"] == user_id, "item_id"]
    rows["liked"] = rows["item_id"].isin(own)
    rows = rows.sort_values("timestamp", ascending=False, kind="stable", ignore_index=True)
    if listed["source"] == "champion" and (weights := _weights(bundle, user_id, item_id)):
        rows[WEIGHT] = rows["item_id"].map(weights).where(rows["liked"])
        rows = rows.sort_values(WEIGHT, ascending=False, kind="stable", ignore_index=True)
    likes = int((positives["item_id"] == item_id).sum())
    return Trace(publication, listed, bundle, rows, likes, _changed(root, publication))


def _listed(publication: Publication, user_id: str, item_id: str) -> "pd.Series[Any]":
    lists = publication.read("users")
    own = lists[lists["user_id"] == user_id]
    if own.empty:
        raise ValueError(f"no user {user_id!r} in {publication.id}: see `collie recommend`")
    hits = own[own["item_id"] == item_id]
    if hits.empty:
        there = ", ".join(own["item_id"].dropna().astype(str))
        raise ValueError(f"{item_id!r} is not recommended to {user_id!r}, but {there} are: use one")
    return hits.iloc[0]


def _positives(root: Path, publication: Publication) -> pd.DataFrame:
    path = root / "prepared" / "implicit" / f"{publication.week}.parquet"
    if not path.exists():
        raise ValueError(f"{path} is not there: make the week again with `collie run --force`")
    return read_table(path, columns=["user_id", "item_id"])


def raw_rows(root: Path, weeks: Sequence[str], user_id: str) -> pd.DataFrame:
    """Return the raw rows of a user in `weeks` that are there, with the week of each."""
    tables = []
    for week in weeks:
        path = root / "raw" / "interactions" / f"{week}.parquet"
        if path.exists():
            raw = read_table(path)
            own = raw[(text_ids(raw["user_id"]) == user_id).fillna(False)]
            own = own.reindex(columns=list(ROW_COLUMNS))
            own["item_id"] = text_ids(own["item_id"])
            tables.append(own.drop(columns="user_id").assign(week=week).astype({"rating": object}))
    empty = pd.DataFrame(columns=[*ROW_COLUMNS[1:], "week"])
    return pd.concat(tables, ignore_index=True) if tables else empty


def _weights(bundle: Bundle, user_id: str, item_id: str) -> dict[str, float]:
    """Return what each item of a user adds to the score of one, for models that add up."""
    model = model_of(bundle)
    if not isinstance(model, EASE | ItemKNN):
        return {}
    items = bundle.ids["item_id"]
    user, item = bundle.ids["user_id"].index(user_id), items.index(item_id)
    have = model.train[[user]]
    matrix = model.weights if isinstance(model, EASE) else model.similarity
    column = matrix[have.indices][:, [item]]
    added = np.asarray(column.todense() if not isinstance(column, np.ndarray) else column).ravel()
    return {items[i]: float(w) for i, w in zip(have.indices, added * have.data, strict=True)}


def _changed(root: Path, publication: Publication) -> list[str]:
    folder = root / "prepared" / "clean"
    made_of = publication.manifest.get("clean", {})
    paths = {week: folder / f"{week}.parquet" for week in made_of}
    return [
        week for week, path in paths.items() if not path.exists() or sha256(path) != made_of[week]
    ]
