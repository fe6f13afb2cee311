"""Vectors for an index: what their metric says is what the model says."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from collie_core.baselines import EASE, ItemKNN, Popularity
from collie_core.interactions import Interactions
from collie_core.model import ARCHITECTURES, BasePipeline
from collie_core.recommend import scoring
from collie_core.vectors import IndexVectors, index_vectors

USERS = torch.arange(12)
BUCKETS = np.arange(10) % 3
SMALL = {"embedding_dim": 4}
SAME_SIZE = {"user_dense_layers_dims": (6, 4), "item_dense_layers_dims": (6, 4)}


def shaken(architecture: str, tiny: Interactions, **own: Any) -> BasePipeline:
    """Return a model none of whose weights are zero, as biases are at first."""
    torch.manual_seed(0)
    model = ARCHITECTURES[architecture](train=tiny, **own)
    with torch.no_grad():
        for weights in model.parameters():
            weights.add_(torch.randn_like(weights))
    return model


def scores_of(model: BasePipeline) -> Tensor:
    with scoring(model):
        return model.score_all(USERS)


def inner_products(vectors: IndexVectors) -> Tensor:
    assert vectors.users is not None
    return vectors.users @ vectors.items.T


@pytest.mark.parametrize(
    ("architecture", "own"),
    [
        ("matrix_factorization", SMALL),
        ("nonlinear_matrix_factorization", SAME_SIZE),
        ("cold_start", {**SMALL, "item_buckets": BUCKETS}),
    ],
)
def test_inner_products_are_scores_less_a_constant_of_the_user(
    tiny: Interactions, architecture: str, own: dict[str, Any]
) -> None:
    model = shaken(architecture, tiny, **own)
    vectors = index_vectors(model)
    assert vectors is not None
    assert vectors.metric == "inner_product"
    gaps = scores_of(model) - inner_products(vectors)
    torch.testing.assert_close(gaps, gaps[:, :1].expand_as(gaps), atol=1e-4, rtol=1e-4)


def test_inner_products_are_scores_before_the_sigmoid_of_a_range(tiny: Interactions) -> None:
    model = shaken("matrix_factorization", tiny, **SMALL, y_range=(1, 5))
    vectors = index_vectors(model)
    assert vectors is not None
    gaps = torch.logit((scores_of(model) - 1) / 4, eps=1e-7) - inner_products(vectors)
    torch.testing.assert_close(gaps, gaps[:, :1].expand_as(gaps), atol=1e-3, rtol=1e-3)
    assert "sigmoid" in vectors.meaning


def test_distances_are_scores_negated(tiny: Interactions) -> None:
    model = shaken("collaborative_metric_learning", tiny, **SMALL)
    vectors = index_vectors(model)
    assert vectors is not None
    assert vectors.users is not None
    assert vectors.metric == "l2"
    distances = (vectors.users[:, None] - vectors.items[None]).norm(dim=-1)
    torch.testing.assert_close(distances, -scores_of(model))


@pytest.mark.parametrize(
    ("architecture", "own"),
    [
        ("mlp_matrix_factorization", {"embedding_dim": 8, "num_layers": 2}),
        ("neural_collaborative_filtering", {**SMALL, "num_layers": 2}),
        ("deep_fm", {**SMALL, "num_layers": 2}),
        ("hybrid", {**SMALL, "item_metadata": np.eye(3)[BUCKETS]}),
    ],
)
def test_scores_of_layers_are_no_function_of_two_vectors(
    tiny: Interactions, architecture: str, own: dict[str, Any]
) -> None:
    vectors = index_vectors(shaken(architecture, tiny, **own))
    assert vectors is not None
    assert (vectors.users, vectors.metric, len(vectors.items)) == (None, "cosine", 10)


@pytest.mark.parametrize("baseline", [EASE, ItemKNN, Popularity])
def test_baselines_have_no_vectors(tiny: Interactions, baseline: Any) -> None:
    assert index_vectors(baseline.fit(tiny)) is None
