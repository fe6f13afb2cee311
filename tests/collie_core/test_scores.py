import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from collie_core.scores import GROUP, NOTHING, best, refuse_nan


@pytest.mark.parametrize("width", [20 * GROUP, 40 * GROUP, 50 * GROUP + 7])
@pytest.mark.parametrize("step", [0.0, 0.1], ids=["few ties", "many ties"])
def test_best_of_long_rows_are_those_of_a_stable_sort(width: int, step: float) -> None:
    scores = torch.randn(30, width, generator=torch.Generator().manual_seed(0))
    if step:
        scores = (scores / step).round() * step
    scores[3] = -torch.inf
    scores[4, width - 1] = torch.inf
    scores[5, 2:] = -torch.inf
    expected = scores.sort(dim=1, descending=True, stable=True)
    items, values = best(scores, 6)
    assert torch.equal(values, expected.values[:, :6])
    there = ~values.isneginf()
    assert torch.equal(items[there], expected.indices[:, :6][there])
    assert (items[~there] == -1).all()


@given(
    st.integers(1, 12), st.integers(1, 40 * GROUP), st.integers(1, 400), st.integers(0, 2**32 - 1)
)
def test_best_are_those_of_a_stable_sort(k: int, width: int, num_values: int, seed: int) -> None:
    """Values are few, so that rows tie within groups, across them and at the end."""
    drawn = torch.randint(num_values, (3, width), generator=torch.Generator().manual_seed(seed))
    scores = torch.where(drawn == 0, -torch.inf, drawn.float())
    values, items = scores.sort(dim=1, descending=True, stable=True)
    items[values.isneginf()] = NOTHING
    found = best(scores, k)
    assert torch.equal(found[0][:, :width], items[:, :k])
    assert torch.equal(found[1][:, :width], values[:, :k])
    assert (found[0][:, width:] == NOTHING).all()


def test_best_of_long_rows_may_lie_in_one_group_or_at_the_end() -> None:
    scores = torch.zeros(2, 40 * GROUP + 5)
    scores[0, 3 * GROUP : 3 * GROUP + 6] = torch.arange(6, 0, -1.0)
    scores[1, -5:] = torch.arange(5, 0, -1.0)
    assert best(scores, 5)[0].tolist() == [
        [3 * GROUP + place for place in range(5)],
        [40 * GROUP + place for place in range(5)],
    ]


def test_best_of_rows_that_tie_everywhere_are_the_first() -> None:
    scores = torch.zeros(4, 100 * GROUP + 5)
    scores[1, 70 * GROUP :] = 1.0
    scores[2, -1] = 1.0
    scores[3, ::GROUP] = 1.0
    assert best(scores, 4)[0].tolist() == [
        [0, 1, 2, 3],
        [70 * GROUP + place for place in range(4)],
        [100 * GROUP + 4, 0, 1, 2],
        [0, GROUP, 2 * GROUP, 3 * GROUP],
    ]


def test_best_may_lie_in_the_last_groups_alone() -> None:
    width = 100 * GROUP + 5
    scores = torch.arange(1.0 * width)[None]
    assert best(scores, 8)[0].tolist() == [list(range(width - 1, width - 9, -1))]


@pytest.mark.parametrize("width", [9, 100 * GROUP + 5])
def test_a_row_with_a_nan_begins_with_one(width: int) -> None:
    scores = torch.arange(2.0 * width).reshape(2, width)
    scores[0, 4] = torch.nan
    assert best(scores, 3)[1].isnan().any(dim=1).tolist() == [True, False]
    assert best(scores, 3)[1][0, 0].isnan()


def test_infinities_of_both_signs_are_no_nan() -> None:
    refuse_nan(torch.tensor([[torch.inf, -torch.inf]]), np.array([7]))


def test_nan_among_infinities_is_named() -> None:
    with pytest.raises(ValueError, match="the score of user 8 for item 1 is NaN"):
        refuse_nan(torch.tensor([[torch.inf, 0.0], [-torch.inf, torch.nan]]), np.array([7, 8]))
