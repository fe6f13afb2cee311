"""The published tables: plain functions, called by the assets."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.sparse import csr_matrix

from collie_core.baselines import ItemKNN, Popularity
from collie_core.bundle import load_model, model_of, read_bundle
from collie_core.model import BasePipeline, ColdStartModel
from collie_core.recommend import Items, Scores, scoring, similar_items, similar_to, top_n
from collie_core.scorer import Scorer
from collie_pipeline.evaluating import read_positives
from collie_pipeline.preparation import read_ids

Keys = npt.NDArray[np.object_] | npt.NDArray[np.str_]
TOO_FEW = "too_few_candidates"  # in `source`: why a list is shorter than k


def _seen(clean: pd.DataFrame, user_ids: Keys, item_ids: Keys) -> csr_matrix:
    """Return which of `item_ids` each of `user_ids` has met in `clean`, whatever the rating."""
    rows = pd.Index(user_ids).get_indexer(pd.Index(clean["user_id"]))
    columns = pd.Index(item_ids).get_indexer(pd.Index(clean["item_id"]))
    both = (rows >= 0) & (columns >= 0)
    ones = np.ones(both.sum(), dtype=np.float32)
    return csr_matrix((ones, (rows[both], columns[both])), shape=(len(user_ids), len(item_ids)))


def _table(
    columns: tuple[str, str], keys: Keys, items: Items, scores: Scores, item_ids: Keys
) -> pd.DataFrame:
    """Return a row for each item in the lists of `keys`, by key and rank.

    Parameters
    ----------
    columns : names of the key and of the item.
    keys : (B,) whose lists they are.
    items, scores : (B, k), see `top_n`.
    item_ids : (N,) the outside id of each item.
    """
    k = items.shape[1]
    table = pd.DataFrame(
        {
            columns[0]: np.repeat(keys, k),
            "rank": np.tile(np.arange(1, k + 1, dtype=np.int16), len(keys)),
            columns[1]: item_ids[items.ravel()],
            "score": scores.ravel(),
        }
    )
    return table[items.ravel() >= 0].reset_index(drop=True)


def _lists(
    scorer: Scorer,
    users: npt.NDArray[np.int64],
    user_ids: npt.NDArray[np.object_],
    item_ids: npt.NDArray[np.object_],
    seen: csr_matrix,
    k: int,
    source: str,
) -> pd.DataFrame:
    """Return the lists of `users`, numbers to `scorer`, who are `user_ids` and rows of `seen`."""
    items, scores = top_n(scorer, users, k=k, exclude=seen)
    table = _table(("user_id", "item_id"), user_ids, items, scores, item_ids).assign(source=source)
    short = user_ids[(items < 0).any(axis=1)]
    reasons = pd.DataFrame(
        {"user_id": short, "rank": 0, "item_id": None, "score": np.nan, "source": TOO_FEW}
    )
    return pd.concat([table, reasons.astype(table.dtypes)], ignore_index=True)


def user_lists(
    champion: Path, positives: Path, clean: pd.DataFrame, users: pd.DataFrame, k: int
) -> pd.DataFrame:
    """Return k items for every user of the window or of `users`, by user_id and rank.

    Warm users get the champion's best items, cold ones the most popular; nobody gets what they
    have met in the window. A user with fewer than k candidates has them, and one row with rank 0
    whose `source` is the reason.

    Parameters
    ----------
    champion : bundle of the model that serves.
    positives : HDF5 file of the window.
    clean : every clean row of the window, of which `positives` has the liked ones.
    users : table with user_id, of users who may have no rows at all.
    k : length of the lists.
    """
    warm_ids, items = read_ids(positives)
    item_ids = np.asarray(items, dtype=object)
    known = {*clean["user_id"].unique(), *users["user_id"].astype(str)}
    cold_ids = np.array(sorted(known - {*warm_ids.tolist()}), dtype=np.str_)
    popularity = Popularity.fit(read_positives(positives))
    tables = [
        _lists(scorer, numbers, ids.astype(object), item_ids, _seen(clean, ids, item_ids), k, name)
        for scorer, numbers, ids, name in (
            (load_model(champion), np.arange(len(warm_ids)), np.asarray(warm_ids), "champion"),
            (popularity, np.zeros(len(cold_ids), dtype=np.int64), cold_ids, "popularity"),
        )
        if len(ids)
    ]
    table = pd.concat(tables, ignore_index=True).sort_values(["user_id", "rank"], kind="stable")
    return table.reset_index(drop=True)


def similar_item_lists(champion: Path, positives: Path, k: int) -> pd.DataFrame:
    """Return up to k similar items for every item, by item_id and rank, by cosine.

    A model with item vectors compares these; beside any other, items are compared by the users
    they share.
    """
    model = load_model(champion)
    if isinstance(model, BasePipeline):
        with scoring(model):
            vectors = model._get_item_embeddings()
        items, scores = similar_items(vectors, k)
    else:
        known = model if isinstance(model, ItemKNN) else ItemKNN.fit(read_positives(positives))
        items, scores = known.similar(k)
    item_ids = np.asarray(read_ids(positives)[1], dtype=object)
    return _table(("item_id", "similar_item_id"), item_ids, items, scores, item_ids)


def new_item_lists(cold_start: Path, k: int) -> pd.DataFrame:
    """Return the k items most like a new item of each bucket, by bucket and rank, by cosine."""
    bundle = read_bundle(cold_start)
    model, ids = model_of(bundle), bundle.ids
    if not isinstance(model, ColdStartModel):
        raise TypeError(f"{cold_start} holds a {type(model).__name__}, must be a ColdStartModel")
    item_ids, buckets = (np.asarray(ids[name], dtype=object) for name in ("item_id", "bucket"))
    items, scores = similar_to(model.item_bucket_embeddings.weight, model._get_item_embeddings(), k)
    return _table(("bucket", "item_id"), buckets, items, scores, item_ids)
