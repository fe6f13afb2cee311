"""Blocks of scores: asked of a model, masked, and cut to the best."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import numpy.typing as npt
import torch
from scipy.sparse import csr_matrix
from torch import Tensor, nn

from collie_core.interactions.ids import at_least
from collie_core.scorer import Scorer

Users = npt.NDArray[np.integer]
NOTHING = -1  # in place of an item, where a row has fewer than k to offer
BLOCK_CELLS = 6 << 20
GROUP = 32  # neighbouring scores of which the largest is looked at first
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
    Columns (B, k) int64 and their scores (B, k), -1 and -inf where a row has none above -inf left.
    """
    at_least("k", k, 1)
    wanted = min(k + 1, scores.shape[1])  # one more tells if a tie crosses the list's end
    values, columns = _largest(scores, wanted)
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


def _largest(scores: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Return the `count` largest of each row of `scores` (B, N), and their columns: `topk`.

    They lie in the `count` groups with the largest maxima, and at the end that makes no group: to
    look for them there takes half the time in long rows.
    """
    width = scores.shape[1]
    grouped = width - width % GROUP
    if grouped < 4 * GROUP * count:
        return scores.topk(count, dim=1)
    maxima = scores[:, :grouped].reshape(len(scores), -1, GROUP).amax(dim=2)
    starts = GROUP * maxima.topk(count, dim=1).indices
    within = starts[:, :, None] + torch.arange(GROUP, device=scores.device)
    end = torch.arange(grouped, width, device=scores.device).expand(len(scores), -1)
    columns = torch.cat([within.flatten(1), end], dim=1)
    values, places = scores.gather(1, columns).topk(count, dim=1)
    return values, columns.gather(1, places)
