import numpy as np
import pytest
import torch

from collie_core.model import ScaledEmbedding, ZeroEmbedding
from collie_core.model.blocks import biased_dot, cosine_to_all, in_range
from collie_core.model.dropout import Dropout


@pytest.fixture(autouse=True)
def seed() -> None:
    torch.manual_seed(0)


@pytest.mark.parametrize("p", [0.1, 0.3, 0.5, 0.99])
def test_dropout_drops_its_share_and_keeps_the_mean(p: float) -> None:
    entries = Dropout(p)(torch.ones(100_003, 4))
    kept = (entries != 0).float().mean(dim=0)  # of each of the four parts of a random number
    spread = 5 * np.sqrt(p * (1 - p) / 100_003)
    assert ((kept - (1 - p)).abs() < spread).all()
    assert entries.unique().tolist() == pytest.approx([0, 1 / (1 - p)], rel=1e-3)


def test_dropout_drops_entries_independently() -> None:
    dropped = (Dropout(0.5)(torch.ones(50_000, 4)) == 0).float()
    correlation = torch.corrcoef(dropped.T) - torch.eye(4)
    assert correlation.abs().max() < 0.03


def test_dropout_of_zero_and_in_evaluation_changes_nothing() -> None:
    entries = torch.randn(5, 3)
    assert Dropout(0.0)(entries) is entries
    assert Dropout(0.5).eval()(entries) is entries


def test_dropout_passes_gradients_through_what_it_keeps() -> None:
    entries = torch.ones(1_000, requires_grad=True)
    dropped = Dropout(0.5)(entries)
    dropped.sum().backward()
    assert torch.equal(entries.grad, dropped.detach())


@pytest.mark.parametrize("p", [-0.1, 1.0, 1.5, float("nan")])
def test_a_wrong_probability_is_refused(p: float) -> None:
    with pytest.raises(ValueError, match=r"dropout_p is .* must be in \[0, 1\)"):
        Dropout(p)


def test_scaled_embeddings_are_small_and_truncated() -> None:
    weights = ScaledEmbedding(2_000, 8).weight
    assert weights.std().item() == pytest.approx(0.88 / 8, rel=0.1)  # of a normal cut at 2
    assert weights.abs().max() <= 2 / 8 + 1e-6


def test_zero_embeddings_are_zero() -> None:
    assert not ZeroEmbedding(5, 1).weight.any()


def test_a_biased_dot_is_the_formula() -> None:
    users, items = torch.randn(4, 3), torch.randn(4, 3)
    user_biases, item_biases = torch.randn(4, 1), torch.randn(4, 1)
    expected = [
        float(np.dot(u, i)) + b.item() + c.item()
        for u, i, b, c in zip(users.numpy(), items.numpy(), user_biases, item_biases, strict=True)
    ]
    scores = biased_dot((users, user_biases), (items, item_biases))
    assert scores.tolist() == pytest.approx(expected)


def test_a_range_bounds_scores_and_keeps_their_order() -> None:
    scores = in_range(torch.tensor([-100.0, -1.0, 0.0, 1.0, 100.0]), (1.0, 5.0))
    assert scores.tolist() == sorted(scores.tolist())
    assert scores[2].item() == pytest.approx(3.0)
    assert scores.min() >= 1
    assert scores.max() <= 5


def test_the_cosine_with_nothing_is_zero() -> None:
    cosines = cosine_to_all(torch.tensor([1.0, 0.0]), torch.tensor([[2.0, 0.0], [0.0, 0.0]]))
    assert cosines.tolist() == pytest.approx([1.0, 0.0])
