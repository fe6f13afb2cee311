import json
import resource
import tracemalloc
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from collie_core.baselines import EASE, sparse_bundle
from collie_core.baselines.ease import memory_bytes
from collie_core.interactions import Interactions
from collie_core.recommend import top_n
from collie_core.scorer import Bundled

Floats = npt.NDArray[np.float64]


def interactions(have: npt.NDArray[Any]) -> Interactions:
    return Interactions(mat=have, check_num_negative_samples_is_valid=False, seed=0)


def drawn(seed: int, users: int = 12, items: int = 9) -> npt.NDArray[np.int64]:
    have = (np.random.default_rng(seed).random((users, items)) < 0.35).astype(np.int64)
    have[0, 0] = 1
    return have


def regressed(have: npt.NDArray[np.int64], regularization: float) -> Floats:
    """Return the weights (N, N) of a ridge regression of each item on all others."""
    num_items = have.shape[1]
    weights = np.zeros((num_items, num_items))
    for item in range(num_items):
        others = np.delete(np.arange(num_items), item)
        inputs, target = have[:, others].astype(float), have[:, item]
        padded = np.vstack([inputs, np.sqrt(regularization) * np.eye(num_items - 1)])
        wanted = np.concatenate([target, np.zeros(num_items - 1)])
        weights[others, item] = np.linalg.lstsq(padded, wanted, rcond=None)[0]
    return weights


def test_weights_and_scores_are_those_of_the_calculation_by_hand() -> None:
    # XᵀX + I = [[3 1 1] [1 2 0] [1 0 2]], 8 times its inverse is [[4 -2 -2] [-2 5 1] [-2 1 5]]
    model = EASE.fit(interactions(np.array([[1, 1, 0], [1, 0, 1]])), regularization=1)
    expected = [[0, 0.4, 0.4], [0.5, 0, -0.2], [0.5, -0.2, 0]]
    np.testing.assert_allclose(model.weights, expected, rtol=1e-6)
    scores = model.score_all(torch.tensor([1, 0]))
    np.testing.assert_allclose(scores, [[0.5, 0.2, 0.4], [0.5, 0.4, 0.2]], rtol=1e-6)
    assert scores.dtype == torch.float32


@given(st.integers(0, 2**32 - 1), st.sampled_from([0.1, 1.0, 300.0]))
def test_weights_are_those_of_regressing_each_item_on_the_others(
    seed: int, strength: float
) -> None:
    have = drawn(seed)
    model = EASE.fit(interactions(have), regularization=strength)
    expected = regressed(have, strength)
    np.testing.assert_allclose(model.weights, expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(model.score_all(torch.arange(12)), have @ expected, atol=1e-4)
    assert not model.weights.diagonal().any()


def test_weights_are_those_of_the_inverse_in_double_precision() -> None:
    have = drawn(1, users=500, items=300)
    inverse = np.linalg.inv(have.T @ have + 20.0 * np.eye(300))
    expected = inverse / -np.diag(inverse)
    np.fill_diagonal(expected, 0)
    weights = EASE.fit(interactions(have), regularization=20.0).weights
    np.testing.assert_allclose(weights, expected, atol=5e-6)


def test_users_get_items_of_their_own_kind() -> None:
    kind = np.add.outer(np.arange(40), np.arange(12)) % 2 == 0  # a checkerboard
    have = kind.copy()
    have[np.arange(40), np.argmax(have, axis=1) + 2 * (np.arange(40) % 5)] = False  # one is missing
    items, _ = top_n(EASE.fit(interactions(have)), k=6)
    assert kind[np.arange(40)[:, None], items].all()


def test_ratings_and_stored_twice_count_once() -> None:
    have = drawn(2)
    users, items = np.nonzero(have)
    twice = Interactions(
        users=np.tile(users, 2),
        items=np.tile(items, 2),
        ratings=np.arange(2 * len(users)) % 5,
        num_users=12,
        num_items=9,
        allow_missing_ids=True,
        remove_duplicate_user_item_pairs=False,
        check_num_negative_samples_is_valid=False,
        seed=0,
    )
    plain = EASE.fit(interactions(have)).tensors()
    for name, tensor in EASE.fit(twice).tensors().items():
        assert torch.equal(tensor, plain[name])


def test_an_item_and_a_user_without_interactions_score_nothing() -> None:
    have = np.pad(drawn(3), ((0, 1), (0, 1)))
    scores = EASE.fit(interactions(have)).score_all(torch.arange(13))
    assert scores.shape == (13, 10)
    assert not scores[12].any()
    assert not scores[:, 9].any()
    assert scores[:12, :9].any()


def test_the_weights_do_not_depend_on_how_many_items_are_counted_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    have = interactions(drawn(4))
    whole = EASE.fit(have).weights
    monkeypatch.setattr(sparse_bundle, "CELLS_A_BLOCK", 20)
    np.testing.assert_array_equal(EASE.fit(have).weights, whole)


def test_fitting_takes_no_second_matrix_of_all_pairs(monkeypatch: pytest.MonkeyPatch) -> None:
    have = interactions(np.random.default_rng(0).random((200, 1500)) < 0.1)
    monkeypatch.setattr(sparse_bundle, "CELLS_A_BLOCK", 1 << 16)
    tracemalloc.start()
    model = EASE.fit(have)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert model.weights.nbytes == 4 * 1500**2
    assert peak < 1.5 * model.weights.nbytes


def test_it_is_rebuilt_from_its_arrays() -> None:
    model = EASE.fit(interactions(drawn(5)))
    config = json.loads(json.dumps(model.config()))
    again = EASE.from_tensors(config, model.tensors())
    users = torch.arange(12)
    assert (again.num_users, again.num_items) == (12, 9)
    assert torch.equal(again.score_all(users), model.score_all(users))
    assert isinstance(model, Bundled)


def test_its_arrays_are_of_types_a_bundle_can_hold() -> None:
    tensors = EASE.fit(interactions(drawn(6))).tensors().values()
    assert {each.dtype for each in tensors} <= {torch.float32, torch.int32, torch.int64}
    assert all(each.is_contiguous() for each in tensors)


@pytest.mark.parametrize("value", [0, -1.0, float("nan"), float("inf")])
def test_a_senseless_regularization_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match=f"regularization is {value}, must be > 0 and finite"):
        EASE.fit(interactions(drawn(7)), regularization=value)


def test_a_regularization_that_float32_rounds_away_is_refused() -> None:
    alike = interactions(np.array([[1, 1, 0], [0, 0, 1]]))
    with pytest.raises(ValueError, match=r"1e-12, too small to solve for item \d in float32"):
        EASE.fit(alike, regularization=1e-12)


def test_more_items_than_memory_has_room_for_are_refused_at_once() -> None:
    many = Interactions(
        users=[0],
        items=[0],
        num_items=3_000_000,
        check_num_negative_samples_is_valid=False,
        seed=0,
    )
    with pytest.raises(ValueError, match=r"of 3000000 items take 36000\.0 GB, .* use ItemKNN"):
        EASE.fit(many)


def test_the_memory_is_at_least_what_this_process_has_taken() -> None:
    taken = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # KiB, or bytes on a Mac
    assert taken < memory_bytes() < 2**50
