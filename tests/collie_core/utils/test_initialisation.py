import torch

from collie_core.utils import trunc_normal


def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def test_values_stay_within_two_deviations() -> None:
    weights = trunc_normal(torch.empty(200, 100), mean=5.0, std=0.1, generator=generator())
    assert 4.8 < float(weights.min()) < 4.82
    assert 5.18 < float(weights.max()) < 5.2
    assert abs(float(weights.mean()) - 5.0) < 0.01


def test_it_fills_in_place_and_returns_the_weight() -> None:
    weight = torch.nn.Parameter(torch.zeros(4, 4))
    assert trunc_normal(weight, generator=generator()) is weight
    assert bool((weight != 0).all())
    assert weight.requires_grad


def test_same_generator_same_values() -> None:
    one, other = (trunc_normal(torch.empty(9), generator=generator()) for _ in range(2))
    assert torch.equal(one, other)
