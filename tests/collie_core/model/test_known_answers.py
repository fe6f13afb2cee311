"""Every model's scores, held against formulas in NumPy over the same weights."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from collie_core.interactions import Interactions
from collie_core.model import (
    BasePipeline,
    ColdStartModel,
    CollaborativeMetricLearningModel,
    DeepFM,
    HybridModel,
    HybridPretrainedModel,
    MatrixFactorizationModel,
    MLPMatrixFactorizationModel,
    MultiStagePipeline,
    NeuralCollaborativeFiltering,
    NonlinearMatrixFactorizationModel,
)

Array = NDArray[np.float64]
Numbers = NDArray[np.int64]
Weights = dict[str, Array]
Score = Callable[[Weights, Numbers, Numbers], Array]

BUCKETS = np.arange(10) % 4
GENRES = np.random.default_rng(1).normal(size=(10, 3))
AGES = np.random.default_rng(2).normal(size=(12, 2))
EVERY_USER, EVERY_ITEM = (numbers.ravel() for numbers in np.mgrid[:12, :10])


def sigmoid(values: Array) -> Array:
    return 1 / (1 + np.exp(-values))


def relu(values: Array) -> Array:
    return np.maximum(values, 0)


def leaky(values: Array) -> Array:
    return np.where(values > 0, values, 0.01 * values)


def unchanged(values: Array) -> Array:
    return values


def within(scores: Array, minimum: float, maximum: float) -> Array:
    return minimum + (maximum - minimum) * sigmoid(scores)


def linear(weights: Weights, name: str, values: Array) -> Array:
    return values @ weights[f"{name}.weight"].T + weights[f"{name}.bias"]


def tower(
    weights: Weights, name: str, values: Array, activation: Callable[[Array], Array], layers: int
) -> Array:
    """Return the output of `layers` layers, the last without activation."""
    values = linear(weights, f"{name}.first", values)
    for number in range(layers - 1):
        values = linear(weights, f"{name}.rest.{number}", activation(values))
    return values


def beside(*parts: Array) -> Array:
    return np.concatenate(parts, axis=1)


def both(weights: Weights, users: Numbers, items: Numbers) -> tuple[Array, Array]:
    return weights["user_embeddings.weight"][users], weights["item_embeddings.weight"][items]


def biases(weights: Weights, users: Numbers, items: Numbers) -> Array:
    return weights["user_biases.weight"][users, 0] + weights["item_biases.weight"][items, 0]


def factorization(weights: Weights, users: Numbers, items: Numbers) -> Array:
    user, item = both(weights, users, items)
    return (user * item).sum(axis=1) + biases(weights, users, items)


def factorization_in_a_range(weights: Weights, users: Numbers, items: Numbers) -> Array:
    return within(factorization(weights, users, items), 1, 5)


def metric(weights: Weights, users: Numbers, items: Numbers) -> Array:
    user, item = both(weights, users, items)
    return -np.sqrt(((user - item + 1e-6) ** 2).sum(axis=1))


def metric_in_a_range(weights: Weights, users: Numbers, items: Numbers) -> Array:
    return within(metric(weights, users, items), -1, 3)


def mlp(layers: int, maximum: float | None = None) -> Score:
    def score(weights: Weights, users: Numbers, items: Numbers) -> Array:
        matched = tower(weights, "mlp", beside(*both(weights, users, items)), relu, layers + 1)
        scores = sigmoid(matched[:, 0]) + biases(weights, users, items)
        return scores if maximum is None else within(scores, 0, maximum)

    return score


def nonlinear(user_layers: int, item_layers: int, maximum: float | None = None) -> Score:
    def score(weights: Weights, users: Numbers, items: Numbers) -> Array:
        user, item = both(weights, users, items)
        if user_layers:
            user = leaky(tower(weights, "user_dense", user, leaky, user_layers))
        if item_layers:
            item = leaky(tower(weights, "item_dense", item, leaky, item_layers))
        scores = (user * item).sum(axis=1) + biases(weights, users, items)
        return scores if maximum is None else within(scores, 0, maximum)

    return score


def neural(layers: int, last: Callable[[Array], Array]) -> Score:
    def score(weights: Weights, users: Numbers, items: Numbers) -> Array:
        products = (
            weights["user_embeddings_cf.weight"][users]
            * weights["item_embeddings_cf.weight"][items]
        )
        side_by_side = beside(
            weights["user_embeddings_mlp.weight"][users],
            weights["item_embeddings_mlp.weight"][items],
        )
        hidden = relu(tower(weights, "mlp", side_by_side, relu, layers))
        return last(linear(weights, "predict", beside(products, hidden))[:, 0])

    return score


def deep_fm(layers: int, last: Callable[[Array], Array]) -> Score:
    def score(weights: Weights, users: Numbers, items: Numbers) -> Array:
        user, item = both(weights, users, items)
        machine = 0.5 * ((user + item) ** 2 - user**2 - item**2).sum(axis=1)
        deep = tower(weights, "mlp", beside(user, item), relu, layers + 1)[:, 0]
        shallow = machine + biases(weights, users, items) + weights["global_bias"]
        return last(shallow + deep)

    return score


def buckets(weights: Weights, users: Numbers, items: Numbers) -> Array:
    of_items = BUCKETS[items]
    user, item = (
        weights["user_embeddings.weight"][users],
        weights["item_bucket_embeddings.weight"][of_items],
    )
    shared = weights["item_bucket_biases.weight"][of_items, 0]
    return (user * item).sum(axis=1) + weights["user_biases.weight"][users, 0] + shared


def hybrid(
    combined: int,
    user_layers: int | None = None,
    item_layers: int | None = None,
    *,
    is_pretrained: bool = False,
) -> Score:
    """Return the formula; a side without metadata has no layers, one with it none or some."""
    user_vectors, item_vectors, user_biases, item_biases = (
        ("embeddings.0", "embeddings.1", "biases.0", "biases.1")
        if is_pretrained
        else ("user_embeddings", "item_embeddings", "user_biases", "item_biases")
    )

    def metadata(weights: Weights, side: str, table: Array, layers: int | None) -> Array:
        if not layers:
            return table[:, :0] if layers is None else table
        return leaky(tower(weights, f"{side}_features.layers", table, leaky, layers))

    def score(weights: Weights, users: Numbers, items: Numbers) -> Array:
        side_by_side = beside(
            weights[f"{user_vectors}.weight"][users],
            metadata(weights, "user", AGES[users], user_layers),
            weights[f"{item_vectors}.weight"][items],
            metadata(weights, "item", GENRES[items], item_layers),
        )
        deep = tower(weights, "combined", side_by_side, leaky, combined + 1)[:, 0]
        of_users = weights[f"{user_biases}.weight"][users, 0]
        return deep + of_users + weights[f"{item_biases}.weight"][items, 0]

    return score


Case = tuple[type[BasePipeline], dict[str, Any], str | None, Score]
MF, MLP, NMF = (
    MatrixFactorizationModel,
    MLPMatrixFactorizationModel,
    NonlinearMatrixFactorizationModel,
)
CML, NCF, COLD = CollaborativeMetricLearningModel, NeuralCollaborativeFiltering, ColdStartModel
DENSE = {"user_dense_layers_dims": [6, 4], "item_dense_layers_dims": [4]}
RAW = {"user_dense_layers_dims": [], "item_dense_layers_dims": [], "item_embedding_dim": 60}
COLD_START = {"embedding_dim": 3, "item_buckets": BUCKETS}
ITEMS = {"item_metadata": GENRES, "combined_layers_dims": [5, 4]}
LAYERED = {"item_metadata": GENRES, "metadata_layers_dims": [6, 2], "combined_layers_dims": [5]}
OF_USERS = {
    "user_metadata": AGES,
    "user_metadata_layers_dims": [4],
    "combined_layers_dims": [],
}
OF_BOTH = {
    "user_metadata": AGES,
    "item_metadata": GENRES,
    "item_metadata_layers_dims": [2],
    "combined_layers_dims": [5],
}

CASES: dict[str, Case] = {
    "mf": (MF, {"embedding_dim": 3}, None, factorization),
    "mf in a range": (MF, {"embedding_dim": 3, "y_range": (1, 5)}, None, factorization_in_a_range),
    "metric": (CML, {"embedding_dim": 3}, None, metric),
    "metric in a range": (CML, {"embedding_dim": 3, "y_range": (-1, 3)}, None, metric_in_a_range),
    "mlp of 1": (MLP, {"embedding_dim": 4, "num_layers": 1}, None, mlp(1)),
    "mlp of 3": (MLP, {"embedding_dim": 7, "num_layers": 3, "y_range": (0, 4)}, None, mlp(3, 4)),
    "nonlinear": (NMF, DENSE, None, nonlinear(2, 1)),
    "nonlinear in a range": (NMF, {**DENSE, "y_range": (0, 2)}, None, nonlinear(2, 1, 2)),
    "nonlinear without layers": (NMF, RAW, None, nonlinear(0, 0)),
    "neural of 1": (NCF, {"embedding_dim": 3, "num_layers": 1}, None, neural(1, unchanged)),
    "neural of 3": (NCF, {"embedding_dim": 3, "num_layers": 3}, None, neural(3, unchanged)),
    "neural, sigmoid": (
        NCF,
        {"embedding_dim": 3, "num_layers": 2, "final_layer": "sigmoid"},
        None,
        neural(2, sigmoid),
    ),
    "neural, relu": (NCF, {"embedding_dim": 3, "final_layer": "relu"}, None, neural(3, relu)),
    "neural, function": (
        NCF,
        {"embedding_dim": 3, "final_layer": torch.cos},
        None,
        neural(3, np.cos),
    ),
    "deep_fm of 1": (DeepFM, {"embedding_dim": 4, "num_layers": 1}, None, deep_fm(1, unchanged)),
    "deep_fm of 3": (DeepFM, {"embedding_dim": 5, "num_layers": 3}, None, deep_fm(3, unchanged)),
    "deep_fm, leaky_relu": (
        DeepFM,
        {"embedding_dim": 4, "final_layer": "leaky_relu"},
        None,
        deep_fm(3, leaky),
    ),
    "deep_fm, sigmoid": (
        DeepFM,
        {"embedding_dim": 4, "final_layer": "sigmoid"},
        None,
        deep_fm(3, sigmoid),
    ),
    "cold start of buckets": (COLD, COLD_START, "item_buckets", buckets),
    "cold start of items": (COLD, COLD_START, "no_buckets", factorization),
    "hybrid's factorization": (HybridModel, ITEMS, "matrix_factorization", factorization),
    "hybrid's metadata": (HybridModel, ITEMS, "metadata_only", hybrid(2, None, 0)),
    "hybrid": (HybridModel, ITEMS, "all", hybrid(2, None, 0)),
    "hybrid, layered": (HybridModel, LAYERED, "all", hybrid(1, None, 2)),
    "hybrid of users": (HybridModel, OF_USERS, "all", hybrid(0, 1, None)),
    "hybrid of both": (HybridModel, OF_BOTH, "metadata_only", hybrid(1, 0, 1)),
    "pretrained": (HybridPretrainedModel, ITEMS, None, hybrid(2, None, 0, is_pretrained=True)),
    "pretrained, layered": (
        HybridPretrainedModel,
        LAYERED,
        None,
        hybrid(1, None, 2, is_pretrained=True),
    ),
    "pretrained of users": (
        HybridPretrainedModel,
        OF_USERS,
        None,
        hybrid(0, 1, None, is_pretrained=True),
    ),
    "pretrained of both": (
        HybridPretrainedModel,
        OF_BOTH,
        None,
        hybrid(1, 0, 1, is_pretrained=True),
    ),
}


def set_by_hand(model: BasePipeline) -> Weights:
    """Give `model` weights from a NumPy generator, none of them 0, and return them."""
    rng, weights = np.random.default_rng(0), {}
    for name, parameter in model.named_parameters():
        drawn = rng.uniform(0.1, 0.9, parameter.shape) * rng.choice([-1, 1], parameter.shape)
        parameter.data = torch.from_numpy(drawn)
        weights[name] = drawn
    return weights


@pytest.fixture(params=list(CASES))
def case(request: pytest.FixtureRequest, tiny: Interactions) -> tuple[BasePipeline, Array]:
    """Return a model in double precision, and what the formula gives for all pairs: (12, 10)."""
    model_class, own, stage, formula = CASES[request.param]
    if model_class is HybridPretrainedModel:
        own = {**own, "trained_model": MatrixFactorizationModel(train=tiny, embedding_dim=3)}
    model = model_class(train=tiny, **own).double().eval()
    for name in ("user_features", "item_features"):
        if getattr(model, name, None) is not None:  # they were rounded to float32
            table = AGES if name == "user_features" else GENRES
            getattr(model, name).features = torch.from_numpy(table)
    if isinstance(model, MultiStagePipeline):
        model.set_stage(str(stage))
    weights = set_by_hand(model)
    return model, formula(weights, EVERY_USER, EVERY_ITEM).reshape(12, 10)


def check(scores: torch.Tensor, expected: Array) -> None:
    assert scores.dtype == torch.float64
    np.testing.assert_allclose(scores.detach().numpy(), expected, rtol=1e-12, atol=1e-12)


def test_formulas_tell_users_and_items_apart(case: tuple[BasePipeline, Array]) -> None:
    _, expected = case
    assert all(len(np.unique(side.round(9), axis=0)) > 3 for side in (expected, expected.T))


def test_pairs_score_what_the_formula_says(case: tuple[BasePipeline, Array]) -> None:
    model, expected = case
    scores = model(torch.from_numpy(EVERY_USER), torch.from_numpy(EVERY_ITEM))
    check(scores, expected.ravel())


def test_rankings_score_what_the_formula_says(case: tuple[BasePipeline, Array]) -> None:
    model, expected = case
    users = [7, 0, 7, 11]
    check(model.score_all(torch.tensor(users)), expected[users])


def test_candidates_score_what_the_formula_says(case: tuple[BasePipeline, Array]) -> None:
    model, expected = case
    users, items = np.array([3, 11, 3]), np.array([[9, 0], [4, 4], [1, 5]])
    scores = model.score_candidates(torch.from_numpy(users), torch.from_numpy(items))
    check(scores, expected[users[:, None], items])


def widths(model: BasePipeline) -> list[list[int]]:
    """Return inputs and outputs of the layers of the perceptron."""
    layers: Sequence[Any] = model.mlp.layers()
    return [[layer.in_features, layer.out_features] for layer in layers]


@pytest.mark.parametrize("model_class", [MLP, DeepFM])
@pytest.mark.parametrize("size", [3, 8, 30, 49])
@pytest.mark.parametrize("num_layers", [1, 3, 5])
def test_perceptrons_narrow_as_the_reference_s(
    model_class: type[BasePipeline], size: int, num_layers: int, tiny: Interactions
) -> None:
    model = model_class(train=tiny, embedding_dim=size, num_layers=num_layers)
    outputs = [int(size * 2 * ((num_layers - n) / (num_layers + 1))) for n in range(num_layers)]
    assert widths(model) == [list(each) for each in pairwise([2 * size, *outputs, 1])]


@pytest.mark.parametrize("num_layers", [1, 2, 4])
def test_neural_collaborative_filtering_halves_each_layer(
    num_layers: int, tiny: Interactions
) -> None:
    model = NCF(train=tiny, embedding_dim=5, num_layers=num_layers)
    inputs = [5 * 2 ** (num_layers - n) for n in range(num_layers)]
    assert widths(model) == [[size, size // 2] for size in inputs]
    assert model.user_embeddings_mlp.embedding_dim == 5 * 2 ** (num_layers - 1)
