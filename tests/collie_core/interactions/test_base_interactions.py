from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from collie_core.interactions import BaseInteractions

USERS, ITEMS = [0, 0, 0, 1, 1, 2], [0, 1, 2, 3, 4, 5]
DENSE = np.array([[5, 0, 1], [0, 0, 0], [0, 2, 0]])
pairs = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 5)), min_size=1, max_size=40)


@pytest.mark.parametrize(
    "form",
    [
        np.asarray,
        sparse.coo_matrix,
        sparse.csr_matrix,
        sparse.csc_matrix,
        sparse.lil_matrix,
        sparse.dok_matrix,
        sparse.bsr_matrix,
        sparse.dia_matrix,
        sparse.coo_array,
        sparse.csr_array,
        np.ndarray.tolist,
    ],
)
def test_matrix_of_any_format_gives_the_same_dense_matrix(form: Callable[[Any], Any]) -> None:
    assert BaseInteractions(form(DENSE)).toarray().tolist() == DENSE.tolist()


def test_matrix_is_coo_over_int32_columns() -> None:
    interactions = BaseInteractions(users=USERS, items=ITEMS)
    assert isinstance(interactions.mat, sparse.coo_matrix)
    assert interactions.users.dtype == interactions.items.dtype == np.int32
    assert interactions.ratings.dtype == interactions.mat.dtype == np.float32


def test_stored_zero_of_a_matrix_is_no_interaction() -> None:
    mat = sparse.coo_matrix(np.array([[0, 4], [3, 0]]))
    mat.data[0] = 0
    assert BaseInteractions(mat).users.tolist() == [1]


def test_rating_of_zero_in_a_column_is_a_rating() -> None:
    assert len(BaseInteractions(users=[0, 1], items=[0, 1], ratings=[0, 5])) == 2


def test_counts_are_inferred_from_the_shape_of_a_matrix() -> None:
    interactions = BaseInteractions(np.pad(DENSE, ((0, 2), (0, 1))))
    assert (interactions.num_users, interactions.num_items) == (5, 4)


def test_counts_are_inferred_from_the_largest_ids() -> None:
    interactions = BaseInteractions(users=USERS, items=ITEMS)
    assert (interactions.num_users, interactions.num_items) == (3, 6)
    assert len(interactions) == interactions.num_interactions == 6


def test_counts_may_be_larger_than_needed() -> None:
    interactions = BaseInteractions(users=USERS, items=ITEMS, num_users=10, num_items=20)
    assert interactions.mat.shape == (10, 20)


@pytest.mark.parametrize("name", ["num_users", "num_items"])
@pytest.mark.parametrize("form", ["mat", "columns"])
def test_counts_smaller_than_needed_are_refused(name: str, form: str) -> None:
    data: dict[str, Any] = {"mat": DENSE} if form == "mat" else {"users": USERS, "items": ITEMS}
    with pytest.raises(ValueError, match=f"{name} is 1, but the largest id is"):
        BaseInteractions(**data | {name: 1})


@given(pairs)
def test_only_the_first_of_a_pair_is_kept(rows: list[tuple[int, int]]) -> None:
    users, items = zip(*rows, strict=True)
    got = BaseInteractions(
        users=users, items=items, ratings=np.arange(len(rows)), allow_missing_ids=True
    )
    first = {pair: row for row, pair in reversed(list(enumerate(rows)))}
    assert got.ratings.tolist() == sorted(first.values())


def test_duplicates_are_kept_on_request() -> None:
    got = BaseInteractions(
        users=[0, 0], items=[0, 0], ratings=[2, 3], remove_duplicate_user_item_pairs=False
    )
    assert (len(got), got.toarray().tolist()) == (2, [[5]])


@pytest.mark.parametrize(
    ("users", "items", "message"),
    [
        ([0, 2], [0, 1], r"1 of the user_ids 0..2 never appear \(the first are \[1\]\)"),
        ([0, 1], [0, 3], r"2 of the item_ids 0..3 never appear \(the first are \[1, 2\]\)"),
    ],
)
def test_missing_ids_are_refused(users: list[int], items: list[int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        BaseInteractions(users=users, items=items)


def test_missing_ids_are_allowed_on_request() -> None:
    assert BaseInteractions(users=[2], items=[3], allow_missing_ids=True).num_users == 3


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({}, "pass mat, or both users and items"),
        ({"users": [0]}, "pass mat, or both users and items"),
        ({"users": [], "items": []}, "must have at least 1 row"),
        ({"users": [0, 1], "items": [0]}, "2 users and 1 items"),
        ({"mat": np.zeros((2, 2))}, "no non-zero entry"),
        ({"mat": sparse.coo_matrix((0, 0))}, "no non-zero entry"),
        ({"mat": np.ones(3)}, "two dimensions"),
        ({"mat": np.array([[1.0, np.nan]])}, r"rating nan at row 1 \(user 0, item 1\)"),
        ({"users": [0], "items": [0], "ratings": [1, 2]}, "one a row"),
    ],
)
def test_bad_data_are_refused(data: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        BaseInteractions(**data)


def test_subset_keeps_counts_and_seed() -> None:
    whole = BaseInteractions(users=USERS, items=ITEMS, seed=4)
    part = whole.subset([0, 3])
    assert (part.users.tolist(), part.items.tolist()) == ([0, 1], [0, 3])
    assert (part.mat.shape, part.seed, len(whole)) == (whole.mat.shape, 4, 6)


def test_empty_subset_is_refused() -> None:
    with pytest.raises(ValueError, match="0 interactions, must be at least 1"):
        BaseInteractions(users=USERS, items=ITEMS).subset([])


@pytest.mark.parametrize("n", [0, 1, 2, 3, 9])
def test_head_and_tail_are_the_ends_of_the_dense_matrix(n: int) -> None:
    interactions = BaseInteractions(DENSE)
    assert interactions.head(n).tolist() == DENSE[:n].tolist()
    assert interactions.tail(n).tolist() == DENSE[max(3 - n, 0) :].tolist()


def test_todense_is_a_numpy_matrix() -> None:
    assert isinstance(BaseInteractions(DENSE).todense(), np.matrix)


def test_repr_tells_the_counts() -> None:
    assert repr(BaseInteractions(DENSE)) == (
        "BaseInteractions(3 interactions of 3 users with 3 items)"
    )
