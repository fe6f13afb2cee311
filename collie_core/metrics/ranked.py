"""One pass over the scores, from which every metric of a ranking follows."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from scipy.sparse import csr_matrix
from torch import Tensor

from collie_core.interactions.ids import distinct

Floats = npt.NDArray[np.float64]
Whole = npt.NDArray[np.int64]
CELLS_A_BLOCK = 1 << 19  # scores compared at once: 2 MiB, which stay in the cache


@dataclass(frozen=True)
class Ranked:
    """Where each user's relevant items stand among the user's candidates.

    The T pairs of a user and a relevant item are in the order of user and rank.

    Parameters
    ----------
    owners : (T,) row of the user, 0..U-1.
    ranks : (T,) from 1, best first; items of equal score are ranked by number.
    midranks : (T,) from 1, worst first; items of equal score share the mean of their ranks.
    num_relevant : (U,) relevant candidates, P.
    num_candidates : (U,) items that are not excluded, C.
    """

    owners: Whole
    ranks: Whole
    midranks: Floats
    num_relevant: Whole
    num_candidates: Whole

    def sum_by_user(self, values: npt.NDArray[Any]) -> Floats:
        """Return the sums over each user's pairs of `values` (T,): (U,)."""
        sums = np.bincount(self.owners, values, minlength=len(self.num_relevant))
        return sums.astype(np.float64)  # without any pairs they are integers

    def places(self) -> Whole:
        """Return the place of each pair among its user's relevant items, from 1: (T,)."""
        starts = np.cumsum(self.num_relevant) - self.num_relevant
        places: Whole = np.arange(1, len(self.owners) + 1) - starts[self.owners]
        return places


def rank_relevant(
    scores: Tensor, relevant: csr_matrix, excluded: csr_matrix | None = None
) -> Ranked:
    """Return where the relevant items stand, without ranking all the others.

    The rank of an item is 1 plus the number of candidates that score higher, or the same under a
    lower number: both are looked up in the sorted scores, which costs a third of counting them,
    and sorting scores alone a fifth of sorting items by them.

    Parameters
    ----------
    scores : (U, N), higher is better, none NaN: callers refuse them, for they know the users.
    relevant : (U, N), whose stored entries are the relevant items.
    excluded : (U, N), whose stored entries are no candidates, relevant or not.

    Raises
    ------
    ValueError
        If the shapes differ.
    """
    refuse_shape(scores, relevant.shape)
    table = _table(scores)
    num_items = relevant.shape[1]
    cells = cells_of(relevant)
    candidates = np.full(relevant.shape[0], num_items, dtype=np.int64)
    if excluded is not None:
        table = np.maximum(table, np.finfo(table.dtype).min)  # -inf is for the excluded alone
        hidden = cells_of(excluded)
        rows, columns = np.divmod(hidden, num_items)
        table[rows, columns] = -np.inf
        candidates -= np.bincount(rows, minlength=len(candidates))
        cells = np.setdiff1d(cells, hidden, assume_unique=True)
    owners, items = cells // num_items, cells % num_items
    higher, same, before = _count(table, owners, items)
    ranks = 1 + higher + before
    midranks = candidates[owners] - higher - (same - 1) / 2
    order = np.lexsort((ranks, owners))
    num_relevant = np.bincount(owners, minlength=len(candidates))
    return Ranked(owners, ranks[order], midranks[order], num_relevant, candidates)


def refuse_shape(scores: Tensor, shape: tuple[int, int]) -> None:
    """Raise a ValueError if `scores` do not have `shape`, (U, N)."""
    if tuple(scores.shape) != shape:
        raise ValueError(
            f"scores have shape {tuple(scores.shape)}, must have {shape}: score all items"
        )


def cells_of(matrix: csr_matrix) -> Whole:
    """Return the stored entries as row · N + column, sorted, each once."""
    entries = matrix.tocoo()
    return distinct(entries.row.astype(np.int64) * matrix.shape[1] + entries.col)


def precise(scores: Tensor) -> Tensor:
    """Return `scores` as float32, or float64 if they are."""
    return scores if scores.dtype == torch.float64 else scores.float()


def _table(scores: Tensor) -> npt.NDArray[Any]:
    """Return `scores` (U, N) as an array.

    NumPy goes on from here, on one core: two threads of torch's took ten times as long on a busy
    machine, where they wait for each other at every step.
    """
    table: npt.NDArray[Any] = precise(scores).detach().cpu().numpy()
    return table


def _count(table: npt.NDArray[Any], owners: Whole, items: Whole) -> tuple[Whole, Whole, Whole]:
    """Count for each pair the scores above its own, equal to it, and equal under lower numbers."""
    above, equal, before = np.zeros((3, len(owners)), dtype=np.int64)
    own = table[owners, items]
    ends = np.searchsorted(owners, np.arange(len(table) + 1))
    for user, ordered in enumerate(np.sort(table, axis=1)):
        pairs = slice(ends[user], ends[user + 1])
        up_to = ordered.searchsorted(own[pairs], side="right")
        above[pairs] = table.shape[1] - up_to
        equal[pairs] = up_to - ordered.searchsorted(own[pairs])
    tied = np.flatnonzero(equal > 1)  # few, unless the scores are counts
    before[tied] = _equal_before(table, owners[tied], items[tied])
    return above, equal, before


def _equal_before(table: npt.NDArray[Any], owners: Whole, items: Whole) -> Whole:
    """Count for each pair the scores equal to its own under lower numbers."""
    before, numbers = np.zeros(len(owners), dtype=np.int64), np.arange(table.shape[1])
    step = max(1, CELLS_A_BLOCK // table.shape[1])
    for start in range(0, len(owners), step):
        block = slice(start, start + step)
        same = table[owners[block]] == table[owners[block], items[block], None]
        before[block] = np.count_nonzero(same & (numbers < items[block, None]), axis=1)
    return before
