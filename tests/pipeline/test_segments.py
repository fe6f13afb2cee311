import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.sparse import csr_matrix

from collie_core.baselines import Popularity
from collie_core.interactions import Interactions
from collie_pipeline.segments import head_items, segment_means, segment_recalls


def matrix(*counts: int) -> csr_matrix:
    """Return a matrix in which item 0 has the first count of users, and so on."""
    rows = [
        [float(user < count) for count in counts] for user in range(max(counts, default=1) or 1)
    ]
    return csr_matrix(np.array(rows))


@pytest.mark.parametrize(
    ("counts", "head"),
    [
        ((1, 5, 2, 2), [1]),  # exactly half
        ((1, 4, 2, 2), [1, 2]),  # the lower number of equals
        ((3, 3, 3, 3), [0, 1]),
        ((0, 0, 7), [2]),
        ((0, 0), []),
    ],
)
def test_the_head_is_the_fewest_items_with_half_of_the_interactions(
    counts: tuple[int, ...], head: list[int]
) -> None:
    assert np.flatnonzero(head_items(matrix(*counts))).tolist() == head


@settings(deadline=None)  # the first scoring of a process takes longer
@given(arrays(np.bool_, (5, 6)), arrays(np.bool_, (5, 6)), arrays(np.int8, 6), st.integers(1, 6))
def test_recalls_are_those_of_sorting_and_counting(
    train: np.ndarray, relevant: np.ndarray, scores: np.ndarray, k: int
) -> None:
    assume(relevant.any())
    seen = csr_matrix(train.astype(np.float32))
    data = Interactions(
        mat=relevant.astype(int),
        allow_missing_ids=True,
        max_number_of_samples_to_consider=0,
        check_num_negative_samples_is_valid=False,
    )
    model = Popularity(5, torch.from_numpy(scores.astype(np.float32)))
    found = segment_recalls(model, data, seen, seen, k)
    head = head_items(seen)
    for user in range(5):
        candidates = [
            item for item in np.argsort(-scores.astype(int), kind="stable") if not train[user, item]
        ]
        for name, chosen in (("recall_head", head), ("recall_tail", ~head)):
            mine = set(np.flatnonzero(relevant[user] & ~train[user] & chosen))
            expected = len(mine & set(candidates[:k])) / len(mine) if mine else np.nan
            actual = found[name].get(user, np.nan)
            np.testing.assert_allclose(actual, expected)


def test_means_leave_out_who_is_not_in_the_segment() -> None:
    table = pd.DataFrame(
        {
            "is_cold": [False, False, True],
            "mapk": [0.2, 0.4, 0.9],
            "recall_head": [1.0, np.nan, 0.0],
            "recall_tail": [np.nan, np.nan, np.nan],
        }
    )
    means = segment_means(table)
    assert means.pop("recall_tail") != means  # NaN, as there is nobody
    assert means == {
        "mapk_warm": pytest.approx(0.3),
        "mapk_cold": pytest.approx(0.9),
        "recall_head": pytest.approx(0.5),
    }
