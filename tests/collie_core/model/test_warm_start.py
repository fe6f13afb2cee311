from pathlib import Path

import pytest
import torch

from collie_core.bundle import Bundle, read_bundle, save_bundle
from collie_core.interactions import Interactions
from collie_core.model import ARCHITECTURES, MatrixFactorizationModel
from collie_core.model.warm_start import warm_start

OLD = {"user_id": ["a", "b", "c"], "item_id": ["v", "w", "x", "y"]}
NEW = {"user_id": ["c", "new", "a"], "item_id": ["y", "v", "z"]}
FLAT = sorted(set(ARCHITECTURES) - {"cold_start", "hybrid", "hybrid_pretrained"})


def data(ids: dict[str, list[str]]) -> Interactions:
    counts = {"num_users": len(ids["user_id"]), "num_items": len(ids["item_id"])}
    return Interactions(users=[0], items=[0], num_negative_samples=1, **counts, seed=0)


def bundle_of(model: torch.nn.Module, path: Path) -> Bundle:
    save_bundle(model, path, OLD)  # type: ignore[arg-type]
    return read_bundle(path)


@pytest.mark.parametrize("name", FLAT)
def test_known_pairs_score_as_they_did(name: str, tmp_path: Path) -> None:
    torch.manual_seed(0)
    old = ARCHITECTURES[name](train=data(OLD)).eval()
    for parameter in old.parameters():
        torch.nn.init.normal_(parameter)
    new = ARCHITECTURES[name](train=data(NEW)).eval()
    newcomer = new.user_side(torch.tensor([1]))[0].detach().clone()  # type: ignore[attr-defined]
    assert warm_start(new, bundle_of(old, tmp_path / "old"), NEW) > 0
    theirs, ours = old.score_all(torch.arange(3)), new.score_all(torch.arange(3))
    expected = theirs[[2, 0]][:, [3, 0]]
    torch.testing.assert_close(ours[[0, 2]][:, [0, 1]], expected)
    if name != "nonlinear_matrix_factorization":  # whose layers, which all users share, were taken
        assert torch.equal(new.user_side(torch.tensor([1]))[0], newcomer)  # type: ignore[attr-defined]


def test_another_kind_of_model_is_refused(tmp_path: Path) -> None:
    bundle = bundle_of(MatrixFactorizationModel(train=data(OLD)), tmp_path / "old")
    with pytest.raises(
        ValueError, match=r"'embedding_dim': 30.*'embedding_dim': 8.*train from the"
    ):
        warm_start(MatrixFactorizationModel(train=data(NEW), embedding_dim=8), bundle, NEW)
    with pytest.raises(ValueError, match=r"MatrixFactorizationModel.*DeepFM"):
        warm_start(ARCHITECTURES["deep_fm"](train=data(NEW)), bundle, NEW)


def test_a_bundle_without_ids_is_refused(tmp_path: Path) -> None:
    model = MatrixFactorizationModel(train=data(OLD))
    model.save_model(tmp_path / "old.pth")
    with pytest.raises(ValueError, match="has no outside ids"):
        warm_start(model, read_bundle(tmp_path / "old.pth"), OLD)


def test_rows_of_the_known_are_mixed_with_fresh_ones(tmp_path: Path) -> None:
    old, new = (MatrixFactorizationModel(train=data(ids), embedding_dim=2) for ids in (OLD, NEW))
    with torch.no_grad():
        for value, model in ((8.0, old), (-4.0, new)):
            for parameter in model.parameters():
                parameter.fill_(value)
    assert warm_start(new, bundle_of(old, tmp_path / "old"), NEW, shrink=0.25) == 8
    mixed, fresh = [-1.0, -1.0], [-4.0, -4.0]  # 0.25 * 8 - 0.75 * 4
    assert new.user_embeddings.weight.tolist() == [mixed, fresh, mixed]
    assert new.item_embeddings.weight.tolist() == [mixed, mixed, fresh]
    assert new.user_biases.weight.flatten().tolist() == [-1.0, -4.0, -1.0]
    assert new.item_biases.weight.flatten().tolist() == [-1.0, -1.0, -4.0]


@pytest.mark.parametrize("shrink", [-0.1, 1.1, float("nan")])
def test_a_shrink_out_of_its_bounds_is_refused(shrink: float, tmp_path: Path) -> None:
    model = MatrixFactorizationModel(train=data(OLD))
    bundle = bundle_of(model, tmp_path / "old")
    with pytest.raises(ValueError, match=rf"shrink is {shrink}, must be in 0\.\.1"):
        warm_start(model, bundle, OLD, shrink)
