import json
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from collie_core.baselines import ItemKNN, sparse_bundle
from collie_core.interactions import Interactions
from collie_core.scorer import Bundled

Floats = npt.NDArray[np.float64]


def interactions(have: npt.NDArray[Any]) -> Interactions:
    return Interactions(mat=have, check_num_negative_samples_is_valid=False, seed=0)


def drawn(seed: int, users: int = 12, items: int = 9) -> npt.NDArray[np.int64]:
    have = (np.random.default_rng(seed).random((users, items)) < 0.35).astype(np.int64)
    have[0, 0] = 1
    return have


def by_hand(have: npt.NDArray[np.int64], neighbours: int, shrinkage: float) -> Floats:
    """Return the similarity of each item to its neighbours (N, N), from its definition."""
    weighed = have * np.maximum(have.sum(axis=1, keepdims=True), 1) ** -0.75
    num_items = have.shape[1]
    similar = np.zeros((num_items, num_items))
    for i in range(num_items):
        for j in range(num_items):
            shared = (have[:, i] * have[:, j]).sum()
            if i != j and shared:
                lengths = np.linalg.norm(weighed[:, i]) * np.linalg.norm(weighed[:, j])
                cosine = weighed[:, i] @ weighed[:, j] / lengths
                similar[i, j] = cosine * shared / (shared + shrinkage)
        similar[i, np.argsort(-similar[i].round(6), kind="stable")[neighbours:]] = 0
    return similar


@given(st.integers(0, 2**32 - 1), st.sampled_from([0.0, 2.5]))
def test_scores_are_sums_of_the_similarities_of_the_definition(seed: int, shrinkage: float) -> None:
    have = drawn(seed)
    model = ItemKNN.fit(interactions(have), shrinkage=shrinkage)
    expected = have @ by_hand(have, 9, shrinkage)
    np.testing.assert_allclose(model.score_all(torch.arange(12)), expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("neighbours", [1, 3])
def test_only_the_nearest_neighbours_are_kept(neighbours: int) -> None:
    # the same seed is no tie: items that differ only in rounding would be cut at either
    have = drawn(5, users=40, items=9)
    model = ItemKNN.fit(interactions(have), neighbours=neighbours)
    expected = by_hand(have, neighbours, 0.0)
    np.testing.assert_allclose(model.similarity.toarray(), expected, rtol=1e-4, atol=1e-6)
    assert (np.diff(model.similarity.indptr) == neighbours).all()


def test_ratings_and_stored_twice_count_once() -> None:
    have = drawn(1)
    plain = ItemKNN.fit(interactions(have))
    twice = Interactions(
        users=np.tile(np.nonzero(have)[0], 2),
        items=np.tile(np.nonzero(have)[1], 2),
        ratings=np.arange(2 * have.sum()) % 5,
        num_users=12,
        num_items=9,
        allow_missing_ids=True,
        remove_duplicate_user_item_pairs=False,
        check_num_negative_samples_is_valid=False,
        seed=0,
    )
    for name, tensor in ItemKNN.fit(twice).tensors().items():
        assert torch.equal(tensor, plain.tensors()[name])


def test_the_result_does_not_depend_on_how_many_items_are_compared_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    have = interactions(drawn(2))
    whole = ItemKNN.fit(have, neighbours=3, shrinkage=1.0)
    items, scores = whole.similar(2)
    monkeypatch.setattr(sparse_bundle, "CELLS_A_BLOCK", 20)
    parts = ItemKNN.fit(have, neighbours=3, shrinkage=1.0)
    for name, tensor in whole.tensors().items():
        assert torch.equal(tensor, parts.tensors()[name])
    np.testing.assert_array_equal(parts.similar(2)[0], items)
    np.testing.assert_array_equal(parts.similar(2)[1], scores)


def test_similar_items_are_the_largest_of_the_similarity_and_never_the_item() -> None:
    model = ItemKNN.fit(interactions(drawn(3)))
    items, scores = model.similar(12)
    dense = model.similarity.toarray()
    for item, (row, values) in enumerate(zip(items, scores, strict=True)):
        like = np.flatnonzero(dense[item])
        expected = sorted(like.tolist(), key=lambda other: (-dense[item, other], other))
        assert row.tolist() == expected + [-1] * (12 - len(expected))
        assert item not in row
        assert (values[len(expected) :] == -np.inf).all()


def test_an_item_and_a_user_without_interactions_are_like_nothing() -> None:
    have = drawn(4)
    have[:, 7] = 0
    have[11] = 0
    model = ItemKNN.fit(interactions(np.pad(have, ((0, 1), (0, 1)))))
    scores = model.score_all(torch.arange(13))
    assert scores.shape == (13, 10)
    assert not scores[11:].any()
    assert not scores[:, 7].any()
    assert scores.isfinite().all()


def test_it_is_rebuilt_from_its_arrays() -> None:
    model = ItemKNN.fit(interactions(drawn(6)), neighbours=4)
    config = json.loads(json.dumps(model.config()))
    again = ItemKNN.from_tensors(config, model.tensors())
    users = torch.arange(12)
    assert torch.equal(again.score_all(users), model.score_all(users))
    np.testing.assert_array_equal(again.similar(3)[0], model.similar(3)[0])
    assert isinstance(model, Bundled)


def test_its_arrays_are_of_types_a_bundle_can_hold() -> None:
    types = {each.dtype for each in ItemKNN.fit(interactions(drawn(7))).tensors().values()}
    assert types <= {torch.float32, torch.int32, torch.int64}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"neighbours": 0}, "neighbours is 0, must be at least 1"),
        ({"shrinkage": -1.0}, r"shrinkage is -1\.0, must be >= 0"),
        ({"shrinkage": float("nan")}, "shrinkage is nan, must be >= 0"),
    ],
)
def test_senseless_options_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ItemKNN.fit(interactions(drawn(8)), **options)
