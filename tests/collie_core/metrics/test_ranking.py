from random import Random

import numpy as np
import numpy.typing as npt
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy.sparse import csr_matrix

from collie_core.metrics import METRICS
from collie_core.metrics.ranked import rank_relevant

Bools = npt.NDArray[np.bool_]
Scores = npt.NDArray[np.float32]
Cases = tuple[Scores, Bools, Bools, int]


def by_hand(scores: Scores, relevant: Bools, excluded: Bools, k: int) -> dict[str, float]:
    """Return the metrics of one user from their definitions, NaN where they have none."""
    items = sorted(np.flatnonzero(~excluded), key=lambda item: (-scores[item], item))
    hits = [bool(relevant[item]) for item in items]
    positives = [item for item in items if relevant[item]]
    negatives = [item for item in items if not relevant[item]]
    if not positives:
        return dict.fromkeys(METRICS, float("nan"))
    wins = [
        1.0 if scores[p] > scores[n] else 0.5 if scores[p] == scores[n] else 0.0
        for p in positives
        for n in negatives
    ]
    precisions = [sum(hits[:rank]) / rank for rank, hit in enumerate(hits[:k], 1) if hit]
    gain = sum(1 / np.log2(rank + 1) for rank, hit in enumerate(hits[:k], 1) if hit)
    most = min(k, len(positives))
    return {
        "auc": float(np.mean(wins)) if wins else float("nan"),
        "hit_rate": float(any(hits[:k])),
        "mapk": sum(precisions) / most,
        "mrr": 1 / (hits.index(True) + 1),
        "ndcg": gain / sum(1 / np.log2(rank + 1) for rank in range(1, most + 1)),
        "precision": sum(hits[:k]) / k,
        "recall": sum(hits[:k]) / len(positives),
    }


def per_user(scores: Scores, relevant: Bools, excluded: Bools, k: int) -> dict[str, list[float]]:
    ranked = rank_relevant(torch.from_numpy(scores), csr_matrix(relevant), csr_matrix(excluded))
    return {name: metric(ranked, k).tolist() for name, metric in METRICS.items()}


@st.composite
def cases(draw: st.DrawFn) -> Cases:
    """Draw scores with ties, what is relevant, what is excluded, each (U, N), and k."""
    shape = draw(st.tuples(st.integers(1, 4), st.integers(1, 8)))
    levels = st.sampled_from([-3.0, 0.0, 0.25, 4.0, 5.0])
    return (
        draw(arrays.arrays(np.float32, shape, elements=levels)),
        draw(arrays.arrays(np.bool_, shape)),
        draw(arrays.arrays(np.bool_, shape)),
        draw(st.integers(1, 10)),
    )


@given(cases())
def test_every_metric_agrees_with_its_definition(case: Cases) -> None:
    *matrices, k = case
    users = zip(*matrices, strict=True)
    expected = [by_hand(scores, relevant, hidden, k) for scores, relevant, hidden in users]
    for name, values in per_user(*case).items():
        np.testing.assert_allclose(values, [user[name] for user in expected], rtol=1e-12)


@given(cases())
def test_a_monotone_change_of_the_scores_changes_no_metric(case: Cases) -> None:
    scores, relevant, excluded, k = case
    changed = (scores**3 + 2 * scores + 7).astype(np.float32)
    assert repr(per_user(changed, relevant, excluded, k)) == repr(per_user(*case))


@given(cases(), st.randoms(use_true_random=False))
def test_renumbering_items_changes_no_metric_where_scores_differ(
    case: Cases, random: Random
) -> None:
    scores, relevant, excluded, k = case
    distinct = np.argsort(np.argsort(scores, axis=1, kind="stable"), axis=1).astype(np.float32)
    order = list(range(scores.shape[1]))
    random.shuffle(order)
    renumbered = per_user(distinct[:, order], relevant[:, order], excluded[:, order], k)
    for name, values in per_user(distinct, relevant, excluded, k).items():
        np.testing.assert_allclose(renumbered[name], values, rtol=1e-12)


@given(cases())
def test_every_metric_is_between_0_and_1_or_nan(case: Cases) -> None:
    values = np.array(list(per_user(*case).values()))
    assert ((values >= 0) & (values <= 1 + 1e-12) | np.isnan(values)).all()
