"""The best items for many users at once, and the items most like others."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from scipy.sparse import csr_matrix
from torch import Tensor, nn

from collie_core.interactions.ids import Ids, at_least, checked_ids
from collie_core.scorer import Scorer
from collie_core.scores import (
    best,
    hide,
    refuse_nan,
    rows_at_once,
    scores_of,
    scoring,
    unchecked_scores,
)

__all__ = ["hide", "refuse_nan", "scores_of", "scoring", "similar_items", "similar_to", "top_n"]

Items = npt.NDArray[np.int32]
Scores = npt.NDArray[np.float32]
Numbers = Sequence[int] | npt.NDArray[np.integer] | Tensor


def top_n(
    model: Scorer,
    users: Numbers | None = None,
    *,
    k: int = 10,
    exclude: Any = None,
    allow: Numbers | None = None,
    deny: Numbers | None = None,
    batch_size: int | None = None,
) -> tuple[Items, Scores]:
    """Return the k best items of each user, best first, equal scores by item.

    A user without history has no number to a model that learns from it: `Popularity` gives the one
    list for all of them, `top_n(popularity, [0])`.

    Parameters
    ----------
    model : the scorer.
    users : (B,) whose lists to make; None stands for all.
    k : length of the lists.
    exclude : interactions of all users (U, N), such as the training data, whose items are left out
        of their user's list; or a sparse matrix (B, N), a row for each of `users`, whose stored
        entries are.
    allow : the only items that may be in a list; None stands for all.
    deny : items that are in no list, whether allowed or not.
    batch_size : users scored at once, `rows_at_once` if None; it does not change the result.

    Returns
    -------
    Items (B, k) and scores (B, k), -1 and -inf where a user has fewer than k candidates.

    Raises
    ------
    ValueError
        If `k` or `batch_size` is less than 1, a user or item is unknown, `exclude` has another
        shape, or a candidate's score is NaN; see also `scores_of`.
    TypeError
        If `exclude` is neither interactions nor sparse.
    """
    asked = checked_ids("user", np.arange(model.num_users) if users is None else users)
    seen = _seen(exclude, asked, model)
    barred = _barred(allow, deny, model.num_items)

    def candidates(block: slice) -> Tensor:
        every = unchecked_scores(model, asked[block]).float()
        if seen is not None:
            every = hide(every, seen[0][seen[1][block]])
        return every.index_fill(1, barred.to(every.device), -torch.inf) if len(barred) else every

    with scoring(model):
        rows = rows_at_once(model.num_items) if batch_size is None else batch_size
        return _lists(candidates, asked, k, rows)


def _lists(
    scored: Callable[[slice], Tensor], asked: Ids, k: int, batch_size: int
) -> tuple[Items, Scores]:
    """Return the k best columns of each of `asked` (B,), which are `scored` (B, N) by block."""
    at_least("batch_size", batch_size, 1)
    items = np.empty((len(asked), at_least("k", k, 1)), dtype=np.int32)
    scores = np.empty((len(asked), k), dtype=np.float32)
    for start in range(0, len(asked), batch_size):
        rows = slice(start, start + batch_size)
        items[rows], scores[rows] = _lists_of(scored(rows), asked[rows], k)
    return items, scores


def _lists_of(block: Tensor, asked: Ids, k: int) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """Return the k best columns of `block` (B, N), and their scores, if none is NaN."""
    items, scores = (each.cpu().numpy() for each in best(block, k))
    if np.isnan(scores[:, 0]).any():
        refuse_nan(block, asked)
    return items, scores


def _seen(
    exclude: Any, users: Ids, model: Scorer
) -> tuple[csr_matrix, npt.NDArray[np.integer]] | None:
    """Return the matrix of what is left out, and the number of the row of each of `users`."""
    if exclude is None:
        return None
    of_all = hasattr(exclude, "mat")
    matrix = exclude.mat if of_all else exclude
    if not hasattr(matrix, "tocsr"):
        raise TypeError(
            f"exclude is {type(exclude).__name__}, must be interactions or a sparse matrix: "
            "scipy.sparse.csr_matrix makes one of an array"
        )
    shape = model.num_users if of_all else len(users), model.num_items
    if matrix.shape != shape:
        way_out = "give both the same counts" if of_all else "give a row for each of users"
        raise ValueError(f"exclude has shape {matrix.shape}, must have {shape}: {way_out}")
    return csr_matrix(matrix), users if of_all else np.arange(len(users))


def _barred(allow: Numbers | None, deny: Numbers | None, num_items: int) -> Tensor:
    """Return the items that may be in no list."""
    barred = torch.full((num_items,), allow is not None)
    for name, listed, is_barred in (("allowed", allow, False), ("denied", deny, True)):
        items = checked_ids(f"{name} item", () if listed is None else listed)
        if (strange := items[items >= num_items]).size:
            known = f"0..{num_items - 1}"
            raise ValueError(f"{name} item {strange[0]} is not in {known}: encode items first")
        barred[torch.from_numpy(items).long()] = is_barred
    return barred.nonzero().flatten()


@torch.no_grad()
def similar_items(vectors: Tensor, k: int, *, batch_size: int = 1024) -> tuple[Items, Scores]:
    """Return the k items most like each item by cosine, never the item itself.

    Parameters
    ----------
    vectors : (N, D); one of zeros has the cosine 0 to all.
    k : length of the lists.
    batch_size : items compared at once; it does not change the result.

    Returns
    -------
    Items (N, k) and cosines (N, k), -1 and -inf where there are fewer than k other items.

    Raises
    ------
    ValueError
        If `k` or `batch_size` is less than 1, or a vector holds a NaN or an infinity.
    """
    unit = _unit("item vector", vectors)
    return _nearest(unit, unit, k, batch_size, among_themselves=True)


@torch.no_grad()
def similar_to(
    vectors: Tensor, item_vectors: Tensor, k: int, *, batch_size: int = 1024
) -> tuple[Items, Scores]:
    """Return the k items most like each of `vectors`, such as those of buckets, by cosine.

    Parameters
    ----------
    vectors, item_vectors : (B, D) and (N, D)
    k, batch_size : see `similar_items`.

    Returns
    -------
    Items (B, k) and cosines (B, k), -1 and -inf where there are fewer than k items.

    Raises
    ------
    ValueError
        If the D of both differ, or see `similar_items`.
    """
    asked, unit = _unit("vector", vectors), _unit("item vector", item_vectors)
    if asked.shape[1] != unit.shape[1]:
        raise ValueError(
            f"vectors have {asked.shape[1]} dimensions, must have the {unit.shape[1]} of "
            "item_vectors: take both from one model"
        )
    return _nearest(asked, unit, k, batch_size, among_themselves=False)


def _unit(name: str, vectors: Tensor) -> Tensor:
    """Return `vectors` at length 1, or at 0 if that is theirs.

    In twice the precision, to be rounded after the product: equal vectors tie exactly, wherever
    they stand.
    """
    if vectors.ndim != 2:
        raise ValueError(f"{name}s have shape {tuple(vectors.shape)}, must have two dimensions")
    if (wrong := ~vectors.isfinite().all(dim=1)).any():
        raise ValueError(
            f"{name} {int(wrong.nonzero()[0])} holds a NaN or infinity, must be finite: "
            "the model has diverged, train it with a lower lr"
        )
    return nn.functional.normalize(vectors.double(), dim=1)


def _nearest(
    asked: Tensor, unit: Tensor, k: int, batch_size: int, *, among_themselves: bool
) -> tuple[Items, Scores]:
    """Return the k of `unit` (N, D) with the largest products with each of `asked` (B, D)."""

    def cosines(block: slice) -> Tensor:
        every = (asked[block] @ unit.T).float()
        if among_themselves:
            every.diagonal(block.start).fill_(-torch.inf)
        return every

    return _lists(cosines, np.arange(len(asked), dtype=np.int32), k, batch_size)
