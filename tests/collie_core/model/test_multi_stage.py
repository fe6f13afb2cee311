from typing import Any

import numpy as np
import pytest
import torch

from collie_core.interactions import Interactions
from collie_core.model import (
    BasePipeline,
    ColdStartModel,
    CollieMinimalTrainer,
    CollieTrainer,
    MultiStagePipeline,
    ScaledEmbedding,
)

BUCKETS = np.arange(10) % 3


@pytest.fixture
def model(tiny: Interactions) -> ColdStartModel:
    torch.manual_seed(0)
    return ColdStartModel(
        train=tiny,
        item_buckets=BUCKETS,
        embedding_dim=4,
        item_buckets_stage_lr=0.05,
        no_buckets_stage_lr=0.05,
    )


def weights(model: torch.nn.Module) -> dict[str, torch.Tensor]:
    return {name: value.detach().clone() for name, value in model.named_parameters()}


def changed(model: torch.nn.Module, before: dict[str, torch.Tensor]) -> set[str]:
    now = dict(model.named_parameters())
    return {name.split(".")[0] for name in before if not torch.equal(before[name], now[name])}


def test_only_the_optimizers_of_the_stage_step(model: ColdStartModel) -> None:
    trainer = CollieMinimalTrainer(model, max_epochs=2, verbosity=0, gpus=0)
    before = weights(model)
    trainer.fit(model)
    users = {"user_embeddings"}  # a user's bias is in both scores of a pair, and cancels
    assert changed(model, before) == users | {"item_bucket_embeddings", "item_bucket_biases"}
    model.advance_stage()
    before = weights(model)
    trainer.max_epochs += 2
    trainer.fit(model)
    assert changed(model, before) == users | {"item_embeddings", "item_biases"}
    assert trainer.num_epochs_completed == 4


def test_lightning_trains_the_stages_too(model: ColdStartModel) -> None:
    trainer = CollieTrainer(
        model,
        max_epochs=1,
        gpus=0,
        logger=False,
        enable_progress_bar=False,
        enable_checkpointing=False,
        weights_summary=None,
    )
    trainer.fit(model)
    model.advance_stage()
    before = weights(model)
    trainer.max_epochs += 1
    trainer.fit(model)
    assert "item_embeddings" in changed(model, before)
    assert "item_bucket_embeddings" not in changed(model, before)
    assert model.hparams["num_epochs_completed"] == 2


def test_advancing_changes_no_score(model: ColdStartModel) -> None:
    users = torch.arange(12)
    before = model.eval().score_all(users)
    model.advance_stage()
    torch.testing.assert_close(model.score_all(users), before)


def test_setting_the_present_stage_again_keeps_what_was_learned(model: ColdStartModel) -> None:
    model.advance_stage()
    CollieMinimalTrainer(model, max_epochs=2, verbosity=0, gpus=0).fit(model)
    before = weights(model)
    model.set_stage("no_buckets")
    assert not changed(model, before)


def test_items_of_a_bucket_score_alike_in_the_first_stage(model: ColdStartModel) -> None:
    scores = model.eval().score_all(torch.arange(12))
    assert torch.equal(scores[:, 0], scores[:, 3])
    assert not torch.equal(scores[:, 0], scores[:, 1])


def test_a_bundle_keeps_the_stage_and_the_buckets(model: ColdStartModel, tmp_path: Any) -> None:
    model.save_model(tmp_path / "first.pth")
    loaded = ColdStartModel(load_model_path=tmp_path / "first.pth")
    assert loaded.hparams["stage"] == "item_buckets"
    assert loaded.item_buckets.tolist() == BUCKETS.tolist()
    loaded.advance_stage()
    loaded.save_model(tmp_path / "second.pth")
    again = ColdStartModel(load_model_path=tmp_path / "second.pth")
    assert again.hparams["stage"] == "no_buckets"


def test_the_last_stage_has_no_next(model: ColdStartModel) -> None:
    model.advance_stage()
    with pytest.raises(ValueError, match="'no_buckets' is the last stage"):
        model.advance_stage()


def test_an_unknown_stage_is_refused_with_the_known_ones(model: ColdStartModel) -> None:
    with pytest.raises(ValueError, match=r"unknown stage 'no_bucket'.*item_buckets.*no_buckets"):
        model.set_stage("no_bucket")


def test_a_bucket_is_like_its_own_items(model: ColdStartModel) -> None:
    model.advance_stage()
    similar = model.item_bucket_item_similarity(item_bucket_id=1)
    assert set(similar.index[:3]) == {1, 4, 7}
    assert similar.iloc[0] == pytest.approx(1.0)
    with pytest.raises(ValueError, match=r"item_bucket_id is 3, must be in 0\.\.2"):
        model.item_bucket_item_similarity(3)


@pytest.mark.parametrize(
    ("buckets", "said"),
    [
        ([0, 1], "2 entries for 10 items"),
        ([0, -1] * 5, r"item_buckets\[1\] is -1"),
        ([0.5] * 10, r"item_buckets\[0\] is 0.5"),
        ([[0]] * 10, "has shape"),
        ([], "has shape"),
        ([0, float("nan")] * 5, r"item_buckets\[1\] is nan"),
        (None, "item_buckets is None"),
    ],
)
def test_wrong_buckets_are_refused(tiny: Interactions, buckets: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        ColdStartModel(train=tiny, item_buckets=buckets)


class Stages(MultiStagePipeline):
    """One embedding for the first stage, and two that step together in the second."""

    def _setup_model(self, **_: Any) -> None:
        self.first = ScaledEmbedding(self.num_items, 1)
        self.second = ScaledEmbedding(self.num_items, 1)
        self.third = ScaledEmbedding(self.num_items, 1)

    def forward(self, _: torch.Tensor, items: torch.Tensor) -> torch.Tensor:
        parts = [self.first] if self.hparams["stage"] == "one" else [self.second, self.third]
        return torch.stack([part(items)[:, 0] for part in parts]).sum(dim=0)


def config_of(stage: str, *prefixes: str, **other: Any) -> dict[str, Any]:
    config = {"lr": 0.1, "optimizer": "sgd", "parameter_prefix_list": prefixes, "stage": stage}
    return config | other


def test_a_template_trains_each_stage_with_its_optimizers(tiny: Interactions) -> None:
    configs = [config_of("one", "first"), config_of("two", "second"), config_of("two", "third")]
    model = Stages(train=tiny, optimizer_config_list=configs)
    trainer = CollieMinimalTrainer(model, max_epochs=1, verbosity=0, gpus=0)
    for stepped in ({"first"}, {"second", "third"}):
        before = weights(model)
        trainer.fit(model)
        assert changed(model, before) == stepped
        if stepped == {"first"}:
            model.advance_stage()
            trainer.max_epochs += 1


@pytest.mark.parametrize(
    ("configs", "said"),
    [
        (None, "optimizer_config_list is None: name one stage"),
        ([], r"optimizer_config_list is \[\]: name one stage"),
        ([{"stage": "one"}], r"has \['stage'\], must have \['lr', 'optimizer', 'param"),
        ([config_of("one", "first", lr=0)], "lr of stage 'one' is 0, must be > 0"),
        ([config_of("one", "first", optimizer="adamm")], "unknown optimizer 'adamm'.*'adam'"),
    ],
)
def test_wrong_stages_are_refused(tiny: Interactions, configs: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Stages(train=tiny, optimizer_config_list=configs)


def test_a_prefix_that_fits_nothing_is_refused(tiny: Interactions) -> None:
    model = Stages(train=tiny, optimizer_config_list=[config_of("one", "frist")])
    with pytest.raises(ValueError, match=r"no parameter begins with any of .*'frist'"):
        model.configure_optimizers()


def test_a_loaded_template_scores_without_its_stages(tiny: Interactions, tmp_path: Any) -> None:
    model = Stages(train=tiny, optimizer_config_list=[config_of("one", "first")])
    model.save_model(tmp_path / "model.pth")
    loaded = Stages(load_model_path=tmp_path / "model.pth")
    assert loaded.hparams["stage_list"] == ["one"]
    assert torch.equal(loaded.score_all(torch.arange(3)), model.score_all(torch.arange(3)))
    with pytest.raises(ValueError, match="optimizer_config_list has no stage 'one'"):
        loaded.configure_optimizers()


def test_templates_alone_are_no_models(tiny: Interactions) -> None:
    for template in (BasePipeline, MultiStagePipeline):
        with pytest.raises(TypeError, match="abstract"):
            template(train=tiny)  # type: ignore[abstract]
