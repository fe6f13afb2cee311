"""What a bundle does to a model of one's own, beyond equal scores."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from collie_core.interactions import Interactions
from collie_core.model import BasePipeline, NeuralCollaborativeFiltering, ScaledEmbedding


class Tied(BasePipeline):
    """A model whose two layers share their weights."""

    def _setup_model(self, **_: Any) -> None:
        self.one = ScaledEmbedding(self.num_items, self.hparams["size"])
        self.other = ScaledEmbedding(self.num_items, self.hparams["size"])
        self.other.weight = self.one.weight

    def forward(self, users: Tensor, items: Tensor) -> Tensor:
        return (self.one(items) * self.other(users % self.num_items)).sum(dim=1)


def test_tied_weights_stay_tied(tiny: Interactions, tmp_path: Path) -> None:
    model = Tied(train=tiny, size=3)
    model.save_model(tmp_path / "model.pth")
    loaded = Tied(load_model_path=tmp_path / "model.pth")
    assert loaded.other.weight is loaded.one.weight
    torch.testing.assert_close(loaded.one.weight, model.one.weight)


def test_a_function_is_passed_again_when_loading(tiny: Interactions, tmp_path: Path) -> None:
    torch.manual_seed(0)
    model = NeuralCollaborativeFiltering(train=tiny, final_layer=torch.tanh).eval()
    model.save_model(tmp_path / "model.pth")
    with pytest.raises(
        ValueError, match=r"final_layer was the function .*tanh.*: pass final_layer"
    ):
        NeuralCollaborativeFiltering(load_model_path=tmp_path / "model.pth")
    loaded = NeuralCollaborativeFiltering(
        load_model_path=tmp_path / "model.pth", final_layer=torch.tanh
    )
    users = torch.arange(12)
    assert torch.equal(loaded.score_all(users), model.score_all(users))


def test_what_a_bundle_cannot_hold_is_refused(tiny: Interactions, tmp_path: Path) -> None:
    model = Tied(train=tiny, size=3, words={1, 2})
    with pytest.raises(TypeError, match="words is set, which a bundle cannot hold: make it"):
        model.save_model(tmp_path / "model.pth")
    assert not list(tmp_path.iterdir())


def test_a_model_goes_where_map_location_says(tiny: Interactions, tmp_path: Path) -> None:
    Tied(train=tiny, size=3).save_model(tmp_path / "model.pth")
    loaded = Tied(load_model_path=tmp_path / "model.pth", map_location="meta")
    assert loaded.one.weight.device.type == "meta"
