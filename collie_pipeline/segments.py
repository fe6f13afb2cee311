"""For whom, and for which items, a model is good: warm and cold users, head and tail items."""

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.sparse import csr_matrix, diags_array

from collie_core.interactions import Interactions
from collie_core.metrics import evaluate_per_user
from collie_core.scorer import Scorer

HEAD_SHARE = 0.5  # of the interactions that head items have


def head_items(train: csr_matrix) -> npt.NDArray[np.bool_]:
    """Return which items (N,) are in the head: the fewest that have half of `train` (U, N).

    The most popular come first, of equals the one with the lower number.
    """
    counts = np.bincount(train.indices, minlength=train.shape[1])
    order = np.argsort(-counts, kind="stable")
    ranked = counts[order]
    head = np.zeros(len(counts), dtype=np.bool_)
    head[order[np.cumsum(ranked) - ranked < HEAD_SHARE * counts.sum()]] = True
    return head


def segment_recalls(
    model: Scorer, test: Interactions, train: csr_matrix, seen: csr_matrix, k: int
) -> pd.DataFrame:
    """Return `recall_head` and `recall_tail` by user: recall@K of their relevant head, tail items.

    Lists are the same K of all candidates: what is asked is how many of a user's relevant tail
    items are among them. Users without such items are left out.

    Parameters
    ----------
    model, test, k : see `evaluate_per_user`.
    train : (U, N), what items are popular by.
    seen : (U, N), items that are no candidates.
    """
    head = head_items(train)
    columns = {}
    for name, items in (("recall_head", head), ("recall_tail", ~head)):
        chosen = csr_matrix(test.mat.tocsr() @ diags_array(items.astype(np.float32)))
        chosen.eliminate_zeros()
        columns[name] = _recall(model, chosen, seen, k)
    return pd.DataFrame(columns, dtype=np.float64)


def _recall(model: Scorer, relevant: csr_matrix, seen: csr_matrix, k: int) -> "pd.Series[float]":
    if not relevant.nnz:
        return pd.Series(dtype=np.float64)
    targets = Interactions(
        mat=relevant,
        allow_missing_ids=True,
        check_num_negative_samples_is_valid=False,
        max_number_of_samples_to_consider=0,
    )
    table = evaluate_per_user(model, targets, k=k, exclude=seen, metrics=["recall"])
    return table.set_index("user")["recall"]


def segment_means(table: pd.DataFrame) -> dict[str, float]:
    """Return the means over the users of each segment of a model's metrics by user.

    `mapk_warm` and `mapk_cold` are over users with and without interactions to learn from,
    `recall_head` and `recall_tail` over those with such items to find: NaN where there are none.
    """
    cold = table["is_cold"].astype(bool)
    return {
        "mapk_warm": float(table.loc[~cold, "mapk"].mean()),
        "mapk_cold": float(table.loc[cold, "mapk"].mean()),
        "recall_head": float(table["recall_head"].mean()),
        "recall_tail": float(table["recall_tail"].mean()),
    }
