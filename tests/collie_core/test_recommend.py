from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy.sparse import coo_matrix, csc_matrix, csr_array, csr_matrix
from torch import Tensor, nn

from collie_core.interactions import ExplicitInteractions, Interactions
from collie_core.recommend import similar_items, similar_to, top_n

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


def interactions(have: npt.NDArray[Any]) -> Interactions:
    return Interactions(mat=have, check_num_negative_samples_is_valid=False, seed=0)


@dataclass
class Case:
    """Scores with many ties (U, N), and what is asked of them."""

    scores: npt.NDArray[np.float32]
    users: list[int]
    exclude: Bools
    allow: list[int] | None
    deny: list[int] | None
    k: int


@st.composite
def cases(draw: st.DrawFn) -> Case:
    shape = draw(st.tuples(st.integers(1, 4), st.integers(1, 8)))
    levels = st.sampled_from([-np.inf, -1.0, -0.0, 0.0, 3.0, np.inf])
    users = draw(st.lists(st.integers(0, shape[0] - 1), max_size=5))
    items = st.none() | st.lists(st.integers(0, shape[1] - 1))
    return Case(
        draw(arrays.arrays(np.float32, shape, elements=levels)),
        users,
        draw(arrays.arrays(np.bool_, (len(users), shape[1]))),
        draw(items),
        draw(items),
        draw(st.integers(1, 10)),
    )


@given(cases(), st.integers(1, 5))
def test_lists_are_those_of_sorting_by_score_and_then_item(case: Case, batch_size: int) -> None:
    found, values = top_n(
        Table(torch.from_numpy(case.scores)),
        case.users,
        k=case.k,
        exclude=csr_matrix(case.exclude),
        allow=case.allow,
        deny=case.deny,
        batch_size=batch_size,
    )
    every = range(case.scores.shape[1])
    open_to_all = set(every if case.allow is None else case.allow) - set(case.deny or [])
    for place, user in enumerate(case.users):
        row = case.scores[user]
        left = [i for i in open_to_all if not case.exclude[place, i] and row[i] > -np.inf]
        expected = sorted(left, key=lambda item: (-row[item], item))[: case.k]
        missing = case.k - len(expected)
        assert found[place].tolist() == expected + [-1] * missing
        assert values[place].tolist() == [*row[expected].tolist(), *[-np.inf] * missing]
    assert found.shape == values.shape == (len(case.users), case.k)
    assert (found.dtype.name, values.dtype.name) == ("int32", "float32")


def test_without_users_everybody_gets_ten_items() -> None:
    model = Table(torch.eye(30)[:13])
    items, scores = top_n(model)
    expected = top_n(model, np.arange(13), k=10)
    np.testing.assert_array_equal(items, expected[0])
    np.testing.assert_array_equal(scores, expected[1])
    assert items.shape == (13, 10)
    assert items[:, 0].tolist() == list(range(13))


@pytest.mark.parametrize(
    "numbers", [[2, 0], np.array([2, 0], dtype=np.uint8), torch.tensor([2, 0])], ids=type
)
def test_users_and_items_come_as_lists_arrays_or_tensors(numbers: Any) -> None:
    found, _ = top_n(Table(torch.eye(3)), numbers, k=1, allow=numbers)
    assert found.tolist() == [[2], [0]]
    assert top_n(Table(torch.eye(3)), numbers, k=1, deny=numbers)[0].tolist() == [[1], [1]]


@given(st.integers(0, 2**32 - 1), st.integers(1, 5))
def test_interactions_leave_out_what_each_user_has(seed: int, batch_size: int) -> None:
    rng = np.random.default_rng(seed)
    have = rng.random((7, 6)) < 0.4
    have[0, 0] = True
    model = Table(torch.from_numpy(rng.integers(0, 3, have.shape).astype(np.float32)))
    users = rng.integers(0, 7, size=5)
    found, _ = top_n(model, users, k=6, exclude=interactions(have), batch_size=batch_size)
    rows = csr_matrix(have[users])
    np.testing.assert_array_equal(found, top_n(model, users, k=6, exclude=rows)[0])
    assert [set(row) - {-1} for row in found.tolist()] == [
        set(np.flatnonzero(~row).tolist()) for row in have[users]
    ]


@pytest.mark.parametrize("form", [csr_array, coo_matrix, csc_matrix])
def test_exclude_may_be_sparse_of_any_form(form: Any) -> None:
    found, _ = top_n(Table(torch.eye(3)), k=1, exclude=form(np.eye(3)))
    assert found.tolist() == [[1], [0], [0]]


def test_a_rating_of_zero_is_excluded_too() -> None:
    rated = ExplicitInteractions(users=[0, 0], items=[0, 1], ratings=[0, 5], num_items=3)
    found, _ = top_n(Table(torch.tensor([[3.0, 2.0, 1.0]])), k=3, exclude=rated)
    assert found.tolist() == [[2, -1, -1]]


def test_only_a_block_of_scores_is_held_at_once() -> None:
    model = Factors(torch.zeros(20_000, 1), torch.zeros(400, 1))
    sizes: list[int] = []

    class Watched(Factors):
        def score_all(self, users: Tensor) -> Tensor:
            sizes.append(len(users))
            return super().score_all(users)

    top_n(Watched(model.users, model.items), k=1, batch_size=300)
    assert max(sizes) == 300
    assert sum(sizes) == 20_000


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
        deny=[1],
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
        ({"users": np.array([-1])}, "user -1 at row 0 is negative"),
        ({"users": np.array([0.5])}, "user 0.5 at row 0 is not a whole number"),
        ({"users": np.array([[0, 1]])}, r"users have shape \(1, 2\)"),
        ({"exclude": csr_matrix((2, 3))}, r"exclude has shape \(2, 3\), must have \(3, 3\)"),
        ({"exclude": interactions(np.eye(2))}, r"\(2, 2\), must have \(3, 3\): give both the same"),
        ({"allow": [0, 3]}, r"allowed item 3 is not in 0\.\.2"),
        ({"deny": [4, 9]}, r"denied item 4 is not in 0\.\.2"),
        ({"deny": [-1]}, "denied item -1 at row 0 is negative"),
    ],
)
def test_senseless_arguments_are_refused(options: dict[str, Any], message: str) -> None:
    arguments = {"users": np.arange(3), "k": 1, **options}
    with pytest.raises(ValueError, match=message):
        top_n(Table(torch.eye(3)), arguments.pop("users"), **arguments)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"exclude": np.eye(3)}, "exclude is ndarray, must be interactions or a sparse matrix"),
        ({"allow": np.array([True, False, True])}, "allowed item True at row 0 is not a number"),
        ({"k": 2.0}, "k is 2.0, must be a whole number"),
    ],
)
def test_arguments_of_another_kind_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(TypeError, match=message):
        top_n(Table(torch.eye(3)), **options)


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


@pytest.mark.parametrize("value", [torch.nan, torch.inf, -torch.inf])
def test_a_number_that_is_not_finite_is_refused_with_its_vector(value: float) -> None:
    vectors = torch.tensor([[1.0], [value]])
    with pytest.raises(ValueError, match="item vector 1 holds a NaN or infinity"):
        similar_items(vectors, 1)
    with pytest.raises(ValueError, match="item vector 1 holds a NaN or infinity"):
        similar_to(torch.eye(1), vectors, 1)
    with pytest.raises(ValueError, match=r"^vector 1 holds a NaN or infinity"):
        similar_to(vectors, torch.eye(1), 1)


def test_items_similar_to_a_vector_are_those_of_the_largest_cosine() -> None:
    vectors = torch.tensor([[2.0, 0.0], [0.0, -0.5]])
    item_vectors = torch.tensor([[1.0, 1.0], [0.0, 3.0], [4.0, 0.0], [0.0, 0.0], [1.0, 0.0]])
    items, cosines = similar_to(vectors, item_vectors, 3)
    assert items.tolist() == [[2, 4, 0], [2, 3, 4]]
    np.testing.assert_allclose(cosines, [[1, 1, 0.5**0.5], [0, 0, 0]], rtol=1e-6)
    assert (items.dtype.name, cosines.dtype.name) == ("int32", "float32")


def test_an_item_is_most_similar_to_its_own_vector() -> None:
    item_vectors = torch.randn(40, 8, generator=torch.Generator().manual_seed(0))
    items, cosines = similar_to(item_vectors, item_vectors, 4, batch_size=7)
    assert items[:, 0].tolist() == list(range(40))
    assert (cosines[:, 0] == 1).all()
    others, their_cosines = similar_items(item_vectors, 3)
    np.testing.assert_array_equal(items[:, 1:], others)
    np.testing.assert_array_equal(cosines[:, 1:], their_cosines)


def test_fewer_items_than_k_are_filled_up_and_no_vector_gets_no_list() -> None:
    items, cosines = similar_to(torch.tensor([[1.0]]), torch.tensor([[-2.0]]), 2)
    assert items.tolist() == [[0, -1]]
    assert cosines.tolist() == [[-1.0, -np.inf]]
    assert similar_to(torch.empty(0, 3), torch.eye(3), 2)[0].shape == (0, 2)


def test_parameters_may_be_compared_and_no_gradient_is_kept() -> None:
    vectors = nn.Parameter(torch.eye(2))
    assert similar_items(vectors, 1)[0].tolist() == [[1], [0]]
    assert similar_to(vectors, vectors, 1)[0].tolist() == [[0], [1]]


@pytest.mark.parametrize(
    ("vectors", "message"),
    [
        (torch.ones(1, 3), "vectors have 3 dimensions, must have the 2 of item_vectors"),
        (torch.ones(2), r"vectors have shape \(2,\), must have two dimensions"),
    ],
)
def test_vectors_of_another_shape_are_refused(vectors: Tensor, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        similar_to(vectors, torch.eye(2), 1)
