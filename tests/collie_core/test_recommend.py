from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy.sparse import csr_matrix
from torch import Tensor, nn

from collie_core.recommend import similar_items, top_n

Bools = npt.NDArray[np.bool_]


@dataclass
class Table:
    """A scorer that looks its scores up, and hands out its own memory."""

    table: Tensor

    @property
    def num_users(self) -> int:
        return self.table.shape[0]

    @property
    def num_items(self) -> int:
        return self.table.shape[1]

    def score_all(self, users: Tensor) -> Tensor:
        return self.table[users]


@dataclass
class Factors:
    """A scorer by matrix product."""

    users: Tensor
    items: Tensor

    @property
    def num_users(self) -> int:
        return len(self.users)

    @property
    def num_items(self) -> int:
        return len(self.items)

    def score_all(self, users: Tensor) -> Tensor:
        return self.users[users] @ self.items.T


@st.composite
def cases(draw: st.DrawFn) -> tuple[npt.NDArray[np.float32], Bools, Bools, int]:
    """Draw scores with ties (U, N), exclusions (U, N), candidates (N,) and k."""
    shape = draw(st.tuples(st.integers(1, 4), st.integers(1, 8)))
    levels = st.sampled_from([-np.inf, -1.0, -0.0, 0.0, 3.0, np.inf])
    return (
        draw(arrays.arrays(np.float32, shape, elements=levels)),
        draw(arrays.arrays(np.bool_, shape)),
        draw(arrays.arrays(np.bool_, shape[1:])),
        draw(st.integers(1, 10)),
    )


@given(cases(), st.integers(1, 5))
def test_lists_are_those_of_sorting_by_score_and_then_item(
    case: tuple[npt.NDArray[np.float32], Bools, Bools, int], batch_size: int
) -> None:
    scores, exclude, candidates, k = case
    found, values = top_n(
        Table(torch.from_numpy(scores)),
        np.arange(len(scores)),
        k=k,
        exclude=csr_matrix(exclude),
        candidates=candidates,
        batch_size=batch_size,
    )
    for user, row in enumerate(scores):
        allowed = np.flatnonzero(candidates & ~exclude[user] & (row > -np.inf))
        expected = sorted(allowed.tolist(), key=lambda item: (-row[item], item))[:k]
        missing = k - len(expected)
        assert found[user].tolist() == expected + [-1] * missing
        assert values[user].tolist() == [*row[expected].tolist(), *[-np.inf] * missing]
    assert (found.dtype.name, values.dtype.name) == ("int32", "float32")


@pytest.mark.parametrize("batch_size", [1, 2, 3, 20, 97, 1024])
def test_the_batch_size_changes_no_bit(batch_size: int) -> None:
    generator = torch.Generator().manual_seed(0)
    model = Factors(*(torch.randn(count, 32, generator=generator) for count in (201, 300)))
    expected = top_n(model, np.arange(201), k=9, batch_size=201)
    found = top_n(model, np.arange(201), k=9, batch_size=batch_size)
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_a_user_gets_the_same_list_alone_and_among_others() -> None:
    generator = torch.Generator().manual_seed(1)
    model = Factors(*(torch.randn(count, 32, generator=generator) for count in (50, 300)))
    together = top_n(model, np.arange(50), k=5)[1]
    assert top_n(model, np.array([49]), k=5)[1].tolist() == [together[49].tolist()]


def test_rows_of_exclude_are_those_of_the_users_asked_for() -> None:
    model = Table(torch.tensor([[3.0, 2.0, 1.0], [1.0, 2.0, 3.0]]))
    found, _ = top_n(model, np.array([1]), k=1, exclude=csr_matrix([[0, 0, 1]]))
    assert found.tolist() == [[1]]


def test_a_stored_zero_is_excluded_too() -> None:
    stored_zero = csr_matrix((np.zeros(1), ([0], [0])), shape=(1, 3))
    found, _ = top_n(
        Table(torch.tensor([[3.0, 2.0, 1.0]])), np.array([0]), k=1, exclude=stored_zero
    )
    assert found.tolist() == [[1]]


def test_the_scores_of_the_model_are_left_as_they_were() -> None:
    class Same(Table):
        def score_all(self, users: Tensor) -> Tensor:
            return self.table.expand(len(users), -1) if len(self.table) == 1 else self.table

    model = Same(torch.tensor([[3.0, 2.0, 1.0]]))
    top_n(
        model,
        np.array([0]),
        k=2,
        exclude=csr_matrix([[1, 0, 0]]),
        candidates=np.array([True, False, True]),
    )
    assert model.table.tolist() == [[3.0, 2.0, 1.0]]


def test_nobody_gets_no_lists() -> None:
    items, scores = top_n(Table(torch.eye(3)), np.array([], dtype=np.int64), k=2)
    assert items.shape == scores.shape == (0, 2)


def test_dropout_is_off_meanwhile() -> None:
    class Dropping(nn.Module):
        num_users, num_items = 1, 200

        def __init__(self) -> None:
            super().__init__()
            self.dropout = nn.Dropout(0.9)

        def score_all(self, users: Tensor) -> Tensor:
            scores: Tensor = self.dropout(torch.arange(1.0, 201.0).repeat(len(users), 1))
            return scores

    model = Dropping()
    assert top_n(model, np.array([0]), k=3)[0].tolist() == [[199, 198, 197]]
    assert model.dropout.training


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"k": 0}, "k is 0, must be at least 1"),
        ({"batch_size": 0}, "batch_size is 0, must be at least 1"),
        ({"users": np.array([0, 3])}, r"user 3 is not in 0\.\.2"),
        ({"users": np.array([-1])}, r"user -1 is not in 0\.\.2"),
        ({"exclude": csr_matrix((2, 3))}, r"exclude has shape \(2, 3\), must have \(3, 3\)"),
        ({"candidates": np.array([True])}, r"shape \(1,\), must be bool of \(3,\)"),
        ({"candidates": np.array([0, 1, 2])}, "candidates is int64"),
    ],
)
def test_senseless_arguments_are_refused(options: dict[str, Any], message: str) -> None:
    arguments = {"users": np.arange(3), "k": 1, **options}
    with pytest.raises(ValueError, match=message):
        top_n(Table(torch.eye(3)), arguments.pop("users"), **arguments)


def test_a_nan_score_is_refused_with_its_user() -> None:
    scores = torch.eye(4)
    scores[3, 2] = torch.nan
    with pytest.raises(ValueError, match="score of user 3 for item 2 is NaN"):
        top_n(Table(scores), np.arange(4), k=1, batch_size=3)


def test_scores_of_too_few_items_are_refused() -> None:
    class Short(Table):
        def score_all(self, users: Tensor) -> Tensor:
            return self.table[users][:, 1:]

    with pytest.raises(ValueError, match=r"score_all gave \(3, 2\), must be \(3, 3\)"):
        top_n(Short(torch.eye(3)), np.arange(3), k=1)


def test_similar_items_are_those_of_the_largest_cosine() -> None:
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(12, 4)).astype(np.float32)
    items, cosines = similar_items(torch.from_numpy(vectors), 3)
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    expected = unit @ unit.T
    np.fill_diagonal(expected, -np.inf)
    np.testing.assert_array_equal(items, np.argsort(-expected, axis=1, kind="stable")[:, :3])
    np.testing.assert_allclose(cosines, -np.sort(-expected, axis=1)[:, :3], rtol=1e-5)


def test_equal_vectors_tie_exactly_and_go_by_number_wherever_they_stand() -> None:
    vector = torch.randn(1, 33, generator=torch.Generator().manual_seed(0))
    items, cosines = similar_items(vector.repeat(101, 1), 3, batch_size=50)
    assert items[0].tolist() == [1, 2, 3]
    assert items[1:3].tolist() == [[0, 2, 3], [0, 1, 3]]
    assert (items[3:] == [0, 1, 2]).all()
    assert (cosines == 1).all()


@pytest.mark.parametrize("batch_size", [1, 2, 3, 50])
def test_the_batch_size_changes_no_bit_of_similar_items(batch_size: int) -> None:
    vectors = torch.randn(101, 32, generator=torch.Generator().manual_seed(0))
    expected = similar_items(vectors, 7)
    for ours, theirs in zip(
        similar_items(vectors, 7, batch_size=batch_size), expected, strict=True
    ):
        np.testing.assert_array_equal(ours, theirs)


def test_a_vector_of_zeros_has_the_cosine_0_to_all() -> None:
    items, cosines = similar_items(torch.tensor([[0.0, 0.0], [1.0, 0.0], [-1.0, 0.0]]), 2)
    assert items[0].tolist() == [1, 2]
    assert cosines[0].tolist() == [0.0, 0.0]
    assert items[1].tolist() == [0, 2]  # 0 is more than -1


def test_an_item_is_never_like_itself_and_too_few_are_filled_up() -> None:
    items, cosines = similar_items(torch.tensor([[1.0], [1.0]]), 3)
    assert items.tolist() == [[1, -1, -1], [0, -1, -1]]
    assert cosines.tolist() == [[1.0, -np.inf, -np.inf]] * 2


@pytest.mark.parametrize("options", [{"k": 0}, {"k": 1, "batch_size": 0}])
def test_senseless_options_of_similar_items_are_refused(options: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="is 0, must be at least 1"):
        similar_items(torch.eye(2), **options)


def test_a_nan_in_a_vector_is_refused_with_its_item() -> None:
    with pytest.raises(ValueError, match="vector of item 1 is NaN"):
        similar_items(torch.tensor([[1.0], [torch.nan]]), 1)
