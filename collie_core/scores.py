"""Blocks of scores: asked of a model, masked, and cut to the best."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import numpy.typing as npt
import torch
from scipy.sparse import csr_matrix
from torch import Tensor, nn

from collie_core.allocator import keep_freed_memory
from collie_core.interactions.ids import at_least
from collie_core.scorer import Scorer

Users = npt.NDArray[np.integer]
NOTHING = -1  # in place of an item, where a row has fewer than k to offer
BLOCK_CELLS = 6 << 20
GROUP, LEAST_GROUP = 32, 8  # neighbouring scores of which the largest is looked at first
MANY = 8  # times as many groups as asked for
FEWEST_ROWS = 16  # BLAS rounds a product of one to three rows unlike the same rows among more


@contextmanager
def scoring(model: Scorer) -> Iterator[None]:
    """Keep gradients and dropout out of the block, and leave each layer in the mode it was in."""
    keep_freed_memory()
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


def rows_at_once(num_items: int) -> int:
    """Return how many rows of scores to make at once: of 24 MiB, from 128 to 1,024.

    Blocks above 32 MiB are given back by the allocator each time, and their pages zeroed anew for
    the next, which doubled the time of the product. Models that look at all items for each block
    should not do so for less than 128 users.
    """
    return max(128, min(1024, BLOCK_CELLS // num_items))


def scores_of(model: Scorer, users: Users) -> Tensor:
    """Return the scores (B, N) of all items for `users` (B,), whoever else is in the block.

    Raises
    ------
    ValueError
        If a user is unknown to the model, or its scores are NaN or not one an item.
    """
    scores = unchecked_scores(model, users)
    refuse_nan(scores, users)
    return scores


def unchecked_scores(model: Scorer, users: Users) -> Tensor:
    """Return what `scores_of` does, but with NaN: what ranks them finds these on its way."""
    if not 0 <= users.min() <= users.max() < model.num_users:
        stranger = int(users[(users < 0) | (users >= model.num_users)][0])
        raise ValueError(f"user {stranger} is not in 0..{model.num_users - 1}: encode users first")
    padding = max(0, FEWEST_ROWS - len(users))
    block = np.pad(users.astype(np.int64), (0, padding), mode="edge")
    scores = model.score_all(torch.from_numpy(block))[: len(users)]
    if scores.shape != (shape := (len(users), model.num_items)):
        raise ValueError(f"score_all gave {tuple(scores.shape)}, must be {shape}: score all items")
    return scores


def refuse_nan(scores: Tensor, users: Users) -> None:
    """Raise a ValueError that names the first of `users` (B,) with a NaN in `scores` (B, N)."""
    # A sum takes a sixth of the time; it is NaN too where infinities of both signs meet.
    if scores.sum().isnan() and scores.isnan().any():
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
    Columns (B, k) int64 and their scores (B, k), -1 and -inf where a row has none above -inf left;
    a row with a NaN begins with one.
    """
    at_least("k", k, 1)
    rows, columns = _contenders(scores.contiguous(), k)
    counts = torch.bincount(rows, minlength=len(scores))
    places = torch.arange(len(rows), device=scores.device) - (counts.cumsum(0) - counts)[rows]
    shape = len(scores), max(k, int(counts.max()))
    values, numbers = scores.new_full(shape, -torch.inf), columns.new_full(shape, NOTHING)
    values[rows, places], numbers[rows, places] = scores[rows, columns], columns
    values, order = values.sort(dim=1, descending=True, stable=True)
    return numbers.gather(1, order[:, :k]), values[:, :k]


def _contenders(scores: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """Return the rows and columns, in their order, among which are the k best of each row.

    None of these is below the k-th largest of the maxima of groups of columns, so that few scores
    are left, in the groups whose own maximum is not below it.
    """
    groups, ends = _groups(scores, k)
    maxima = _maxima(groups)
    least = _least(maxima, k)
    is_open = ~(maxima < least)  # not >=, so that a NaN is a contender
    tied = (is_open.sum(1) > MANY * k).nonzero().flatten()
    is_open[tied] = False
    rows, numbers = is_open.nonzero(as_tuple=True)
    chosen, places = (~(groups[rows, :, numbers] < least[rows])).nonzero(as_tuple=True)
    within, beyond = (~(ends < least)).index_fill_(0, tied, False).nonzero(as_tuple=True)
    of_tied = _not_below(scores[tied], least[tied], k)
    width, apart = scores.shape[1], groups.shape[2]
    found = (
        rows[chosen] * width + places * apart + numbers[chosen],
        within * width + width - ends.shape[1] + beyond,
        tied[of_tied[0]] * width + of_tied[1],
    )
    cells = torch.cat(found)
    if groups.shape[1] > 1 or len(tied):  # else they are in order already
        cells = cells.sort().values
    return cells // width, cells % width


def _groups(scores: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """Return `scores` (B, N) as G members of W groups each, (B, G, W), and the few at the end.

    Members lie W apart, as the largest of rows that lie side by side takes half of the time of
    that of neighbours. There are at least 4 k groups.
    """
    size = min(GROUP, scores.shape[1] // (4 * k))
    size = size if size >= LEAST_GROUP else 1
    whole = scores.shape[1] - scores.shape[1] % size
    return scores[:, :whole].view(len(scores), size, whole // size), scores[:, whole:]


def _least(maxima: Tensor, k: int) -> Tensor:
    """Return a score that k columns of each row reach, if so many are above -inf: (B, 1)."""
    coarse = _maxima(_groups(maxima, k)[0])
    least = coarse.topk(min(k, coarse.shape[1]), dim=1).values[:, -1:]
    return least.clamp(min=torch.finfo(maxima.dtype).min)  # what is -inf is no contender


def _maxima(groups: Tensor) -> Tensor:
    """Return the largest member of each group of `groups` (B, G, W): (B, W)."""
    return groups.amax(1) if groups.shape[1] > 1 else groups[:, 0]


def _not_below(scores: Tensor, least: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """Return the rows and columns not below `least` (B, 1), of those that equal it the first k."""
    ties = scores == least
    chosen = ~(scores < least) & ~(ties & (ties.cumsum(dim=1) > k))
    rows, columns = chosen.nonzero(as_tuple=True)
    return rows, columns
