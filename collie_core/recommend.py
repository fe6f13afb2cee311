"""The best items for many users at once, and the items most like each item."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import numpy.typing as npt
import torch
from scipy.sparse import csr_matrix
from torch import Tensor, nn

from collie_core.interactions.ids import at_least
from collie_core.scorer import Scorer

Items = npt.NDArray[np.int32]
Scores = npt.NDArray[np.float32]
Users = npt.NDArray[np.integer]
NOTHING = -1  # in place of an item, where a user has fewer candidates than k
FEWEST_ROWS = 16  # BLAS rounds a product of one to three rows unlike the same rows among more


@contextmanager
def scoring(model: Scorer) -> Iterator[None]:
    """Keep gradients and dropout out of the block, and leave each layer in the mode it was in."""
    layers = list(model.modules()) if isinstance(model, nn.Module) else []
    training = [layer for layer in layers if layer.training]
    for layer in training:
        layer.training = False
    try:
        with torch.no_grad():
            yield
    finally:
        for layer in training:
            layer.training = True


def scores_of(model: Scorer, users: Users) -> Tensor:
    """Return the scores (B, N) of all items for `users` (B,), whoever else is in the block.

    Raises
    ------
    ValueError
        If a user is unknown to the model, or its scores are NaN or not one an item.
    """
    if not 0 <= users.min() <= users.max() < model.num_users:
        stranger = int(users[(users < 0) | (users >= model.num_users)][0])
        raise ValueError(f"user {stranger} is not in 0..{model.num_users - 1}: encode users first")
    padding = max(0, FEWEST_ROWS - len(users))
    block = np.pad(users.astype(np.int64), (0, padding), mode="edge")
    scores = model.score_all(torch.from_numpy(block))[: len(users)]
    if scores.shape != (shape := (len(users), model.num_items)):
        raise ValueError(f"score_all gave {tuple(scores.shape)}, must be {shape}: score all items")
    refuse_nan(scores, users)
    return scores


def refuse_nan(scores: Tensor, users: Users) -> None:
    """Raise a ValueError that names the first of `users` (B,) with a NaN in `scores` (B, N)."""
    if scores.isnan().any():
        row, item = scores.isnan().nonzero()[0].tolist()
        raise ValueError(
            f"the score of user {users[row]} for item {item} is NaN, must be a number: "
            "the model has diverged, train it with a lower lr"
        )


def hide(scores: Tensor, hidden: csr_matrix) -> Tensor:
    """Return a copy of `scores` (B, N) that is -inf at the stored entries of `hidden` (B, N)."""
    entries = hidden.tocoo()
    cells = [torch.from_numpy(each.astype(np.int64)) for each in (entries.row, entries.col)]
    hiding = scores.clone()
    hiding[cells[0].to(scores.device), cells[1].to(scores.device)] = -torch.inf
    return hiding


def best(scores: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """Return the k best columns of `scores` (B, N), best first, equal scores by column.

    Returns
    -------
    Columns (B, k) int64 and their scores (B, k), -1 and -inf where a row has none above -inf left.
    """
    wanted = min(
        at_least("k", k, 1) + 1, scores.shape[1]
    )  # one more tells if a tie crosses the list's end
    values, columns = scores.topk(wanted, dim=1)
    if wanted > k:
        tied = (values[:, k - 1] == values[:, k]) & ~values[:, k].isneginf()
        if tied.any():
            ordered = scores[tied].sort(dim=1, descending=True, stable=True)
            values[tied], columns[tied] = ordered.values[:, :wanted], ordered.indices[:, :wanted]
        values, columns = values[:, :k], columns[:, :k]
    columns, by_column = columns.sort(dim=1)
    values, by_value = values.gather(1, by_column).sort(dim=1, descending=True, stable=True)
    columns = columns.gather(1, by_value).masked_fill(values.isneginf(), NOTHING)
    missing = (0, k - columns.shape[1])
    return (
        nn.functional.pad(columns, missing, value=NOTHING),
        nn.functional.pad(values, missing, value=-torch.inf),
    )


def top_n(
    model: Scorer,
    users: Users,
    *,
    k: int,
    exclude: csr_matrix | None = None,
    candidates: npt.NDArray[np.bool_] | None = None,
    batch_size: int = 1024,
) -> tuple[Items, Scores]:
    """Return the k best items of each user, best first, equal scores by item.

    Parameters
    ----------
    model : the scorer.
    users : (U,)
    k : length of the lists.
    exclude : (U, N) sparse, a row for each of `users`, whose stored entries are left out.
    candidates : (N,) whether an item may be recommended at all.
    batch_size : users scored at once; it does not change the result.

    Returns
    -------
    Items (U, k) and scores (U, k), -1 and -inf where a user has fewer than k candidates.

    Raises
    ------
    ValueError
        If `k` or `batch_size` is less than 1, a mask has another shape, or see `scores_of`.
    """
    at_least("batch_size", batch_size, 1)
    _check_masks(exclude, candidates, (len(users), model.num_items))
    items = np.full((len(users), at_least("k", k, 1)), NOTHING, dtype=np.int32)
    scores = np.full((len(users), k), -np.inf, dtype=np.float32)
    denied = None if candidates is None else torch.from_numpy(~candidates)
    with scoring(model):
        for start in range(0, len(users), batch_size):
            block = slice(start, start + batch_size)
            every = scores_of(model, np.asarray(users[block])).float()
            if exclude is not None:
                every = hide(every, exclude[block])
            if denied is not None:
                every = every.masked_fill(denied.to(every.device), -torch.inf)
            best_items, best_scores = best(every, k)
            items[block], scores[block] = best_items.cpu().numpy(), best_scores.cpu().numpy()
    return items, scores


def _check_masks(
    exclude: csr_matrix | None, candidates: npt.NDArray[np.bool_] | None, shape: tuple[int, int]
) -> None:
    if exclude is not None and exclude.shape != shape:
        raise ValueError(
            f"exclude has shape {exclude.shape}, must have {shape}: give a row for each of users"
        )
    kind = shape[1:], np.dtype(bool)
    if candidates is not None and (candidates.shape, candidates.dtype) != kind:
        raise ValueError(
            f"candidates is {candidates.dtype} of shape {candidates.shape}, must be bool of "
            f"{shape[1:]}: say of each item whether it may be recommended"
        )


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
        If `k` or `batch_size` is less than 1, or a vector holds a NaN.
    """
    at_least("batch_size", batch_size, 1)
    if (wrong := vectors.isnan().any(dim=1)).any():
        raise ValueError(
            f"the vector of item {int(wrong.nonzero()[0])} is NaN, must be numbers: "
            "the model has diverged, train it with a lower lr"
        )
    # twice the precision, then rounded: equal vectors tie exactly, wherever they stand
    unit = nn.functional.normalize(vectors.double(), dim=1)
    items = np.empty((len(unit), at_least("k", k, 1)), dtype=np.int32)
    cosines = np.empty((len(unit), k), dtype=np.float32)
    for start in range(0, len(unit), batch_size):
        block = slice(start, start + batch_size)
        every = (unit[block] @ unit.T).float()
        every.diagonal(start).fill_(-torch.inf)
        best_items, best_cosines = best(every, k)
        items[block], cosines[block] = best_items.cpu().numpy(), best_cosines.cpu().numpy()
    return items, cosines
