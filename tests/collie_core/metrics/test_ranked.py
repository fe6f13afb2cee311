import numpy as np
import numpy.typing as npt
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy.sparse import csr_matrix

from collie_core.metrics import ranked as module
from collie_core.metrics.ranked import rank_relevant

Bools = npt.NDArray[np.bool_]
Cases = tuple[npt.NDArray[np.float32], Bools, Bools]


@st.composite
def cases(draw: st.DrawFn) -> Cases:
    """Draw scores with many ties, what is relevant, and what is excluded, each (U, N)."""
    shape = draw(st.tuples(st.integers(1, 4), st.integers(1, 7)))
    levels = st.sampled_from([-np.inf, -1.5, 0.0, 0.5, 2.0, np.inf])
    return (
        draw(arrays.arrays(np.float32, shape, elements=levels)),
        draw(arrays.arrays(np.bool_, shape)),
        draw(arrays.arrays(np.bool_, shape)),
    )


def order(scores: npt.NDArray[np.float32], excluded: Bools) -> list[int]:
    items = [item for item in range(len(scores)) if not excluded[item]]
    return sorted(items, key=lambda item: (-scores[item], item))


@given(cases())
def test_ranks_are_those_of_sorting_by_score_and_then_item(case: Cases) -> None:
    ranked = rank_relevant(torch.from_numpy(case[0]), csr_matrix(case[1]), csr_matrix(case[2]))
    expected = [
        (user, 1 + place)
        for user, (scores, relevant, excluded) in enumerate(zip(*case, strict=True))
        for place, item in enumerate(order(scores, excluded))
        if relevant[item]
    ]
    found = zip(ranked.owners.tolist(), ranked.ranks.tolist(), strict=True)
    assert list(found) == expected
    assert ranked.num_candidates.tolist() == (~case[2]).sum(axis=1).tolist()
    assert ranked.num_relevant.tolist() == (case[1] & ~case[2]).sum(axis=1).tolist()


@given(cases())
def test_places_count_the_relevant_items_of_each_user(case: Cases) -> None:
    ranked = rank_relevant(torch.from_numpy(case[0]), csr_matrix(case[1]), csr_matrix(case[2]))
    expected = [place + 1 for count in ranked.num_relevant for place in range(count)]
    assert ranked.places().tolist() == expected


def test_the_result_does_not_depend_on_how_much_is_compared_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rng = np.random.default_rng(0)
    scores = torch.from_numpy(rng.integers(0, 4, (20, 30)).astype(np.float32))
    relevant, excluded = (csr_matrix(rng.random((20, 30)) < share) for share in (0.2, 0.1))
    whole = rank_relevant(scores, relevant, excluded)
    monkeypatch.setattr(module, "CELLS_A_BLOCK", 70)
    for name, values in vars(rank_relevant(scores, relevant, excluded)).items():
        np.testing.assert_array_equal(values, getattr(whole, name))


def test_scores_are_left_as_they_were() -> None:
    scores = torch.tensor([[3.0, 1.0, 2.0]])
    rank_relevant(scores, csr_matrix([[0, 1, 0]]), csr_matrix([[1, 0, 0]]))
    assert scores.tolist() == [[3.0, 1.0, 2.0]]


def test_scores_that_are_a_transposed_view_are_ranked_like_any_other() -> None:
    scores = torch.tensor([[3.0, 0.0], [1.0, 5.0], [2.0, 4.0]]).T
    relevant, excluded = csr_matrix([[0, 1, 0], [1, 0, 0]]), csr_matrix([[1, 0, 0], [0, 1, 0]])
    assert rank_relevant(scores, relevant, excluded).ranks.tolist() == [2, 2]


def test_a_stored_zero_is_excluded_too() -> None:
    stored_zero = csr_matrix((np.zeros(1), ([0], [0])), shape=(1, 3))
    ranked = rank_relevant(torch.tensor([[3.0, 1.0, 2.0]]), csr_matrix([[0, 1, 0]]), stored_zero)
    assert ranked.ranks.tolist() == [2]


def test_scores_of_another_shape_are_refused() -> None:
    with pytest.raises(ValueError, match=r"shape \(1, 2\), must have \(1, 3\)"):
        rank_relevant(torch.zeros(1, 2), csr_matrix([[0, 1, 0]]))


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16, torch.int64])
def test_scores_of_any_type_are_ranked(dtype: torch.dtype) -> None:
    scores = torch.tensor([[3, 1, 2]], dtype=dtype)
    relevant, excluded = csr_matrix([[0, 1, 1]]), csr_matrix([[1, 0, 0]])
    assert rank_relevant(scores, relevant, excluded).ranks.tolist() == [1, 2]


def test_scores_that_only_differ_in_double_precision_do_not_tie() -> None:
    scores = torch.tensor([[1.0, 1.0 + 1e-12]], dtype=torch.float64)
    assert rank_relevant(scores, csr_matrix([[0, 1]])).ranks.tolist() == [1]


def test_scores_with_a_gradient_are_ranked() -> None:
    scores = torch.tensor([[3.0, 1.0]], requires_grad=True)
    assert rank_relevant(scores, csr_matrix([[0, 1]])).ranks.tolist() == [2]
