import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pytorch_lightning.loggers import CSVLogger
from torch import Tensor

from collie_core.checkpoints import STATE, Checkpoint, read_checkpoint, write_checkpoint
from collie_core.cross_validation import stratified_split
from collie_core.interactions import ExplicitInteractions, Interactions
from collie_core.model import ColdStartModel, CollieMinimalTrainer, MatrixFactorizationModel
from collie_core.train import History, fit

EPOCHS, KILLED_IN = 8, 6
KINDS: dict[str, dict[str, Any]] = {
    "adam": {"bias_optimizer": None, "lr_scheduler_func": None},
    "a group of optimizers and a scheduler": {"lr": 1.0},  # which makes the loss worse at times
    "sparse gradients": {"optimizer": "sparse_adam", "bias_optimizer": None, "sparse": True},
    "rows": {"optimizer": "rowwise_adagrad", "bias_optimizer": None, "sparse": True},
    "adagrad": {"optimizer": "adagrad", "bias_optimizer": None, "weight_decay": 1e-3},
}


class StoppedError(Exception):
    """What a kill is to a test that goes on."""


class Stops(CSVLogger):
    """A logger that stops the training in the middle of an epoch."""

    def log_metrics(self, metrics: Any, step: int | None = None) -> None:
        if step == KILLED_IN:
            raise StoppedError
        super().log_metrics(metrics, step)


def interactions(kind: type[Interactions] | type[ExplicitInteractions]) -> Any:
    """The train and the validation part of 60 users of 40 items in four groups."""
    rng = np.random.default_rng(0)
    likes = rng.random((60, 40)) < np.where(
        np.arange(60)[:, None] % 4 == np.arange(40)[None] % 4, 0.8, 0.05
    )
    data = kind(mat=likes * rng.integers(1, 6, likes.shape), seed=0)
    return stratified_split(data, val_p=0.2, test_p=0.1, seed=0)[:2]


def trained(
    kind: type[Interactions] | type[ExplicitInteractions] = Interactions,
    validates: bool = True,
    options: dict[str, Any] | None = None,
    **given: Any,
) -> tuple[dict[str, Tensor], History]:
    train, validation = interactions(kind)
    torch.manual_seed(0)
    loss = "mse" if kind is ExplicitInteractions else "warp"
    chosen = {"lr": 0.03, "loss": loss, "dropout_p": 0.5, **(options or KINDS["adam"])}
    model = MatrixFactorizationModel(train=train, embedding_dim=8, **chosen)
    history = fit(model, EPOCHS, validation if validates else None, patience=EPOCHS, **given)
    return model.tensors(), history


def same(one: dict[str, Tensor], other: dict[str, Tensor]) -> bool:
    return all(one[name].equal(other[name]) for name in one)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("validates", [True, False])
def test_a_stopped_training_ends_with_the_very_bits_of_another(
    tmp_path: Path, kind: str, validates: bool
) -> None:
    options = KINDS[kind]
    whole, history = trained(validates=validates, options=options)
    kept = Checkpoint(tmp_path / "training.ckpt", "a", every_seconds=0)
    with pytest.raises(StoppedError):
        trained(
            validates=validates, options=options, checkpoint=kept, loggers=[Stops(tmp_path, "logs")]
        )
    torch.manual_seed(99)  # whatever was drawn since
    again, resumed = trained(validates=validates, options=options, checkpoint=kept)
    assert resumed.resumed_after == KILLED_IN - 1
    assert same(again, whole)
    assert (resumed.losses, resumed.scores) == (history.losses, history.scores)
    assert resumed.best_epoch == history.best_epoch


def test_ratings_are_gone_on_with_too(tmp_path: Path) -> None:
    whole, history = trained(ExplicitInteractions)
    kept = Checkpoint(tmp_path / "training.ckpt", every_seconds=0)
    with pytest.raises(StoppedError):
        trained(ExplicitInteractions, checkpoint=kept, loggers=[Stops(tmp_path, "logs")])
    again, resumed = trained(ExplicitInteractions, checkpoint=kept)
    assert same(again, whole)
    assert resumed.scores == history.scores
    assert resumed.metric == "mse"
    assert resumed.best_score == min(resumed.scores)


def test_loggers_are_told_of_the_epochs_before_the_checkpoint(tmp_path: Path) -> None:
    kept = Checkpoint(tmp_path / "training.ckpt", every_seconds=0)
    with pytest.raises(StoppedError):
        trained(checkpoint=kept, loggers=[Stops(tmp_path, "first")])
    trained(checkpoint=kept, loggers=[CSVLogger(tmp_path, "second")])
    trained(loggers=[CSVLogger(tmp_path, "whole")])
    second, whole = (
        (tmp_path / name / "version_0" / "metrics.csv").read_text() for name in ("second", "whole")
    )
    assert second == whole
    assert len(whole.splitlines()) == 1 + EPOCHS


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-30])


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[2_000] ^= 1
    path.write_bytes(content)


def no_file_of_ours(path: Path) -> None:
    path.write_bytes(b"\x80\x04.")


def of_another_shape(path: Path) -> None:
    """A file that is whole, and whose key is right, of a model with another size."""
    state = read_checkpoint(path, "a")
    state["model"] = {**state["model"], "item_embeddings.weight": torch.zeros(1, 1)}
    write_checkpoint(path, "a", state)


def without_optimizer(path: Path) -> None:
    state = read_checkpoint(path, "a")
    write_checkpoint(path, "a", {**state, "optimizer": {}})


def of_another_format(path: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    members[STATE] = json.dumps({**json.loads(members[STATE]), "format": 2}).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)


@pytest.mark.parametrize(
    "damage",
    [cut, flip, no_file_of_ours, of_another_shape, without_optimizer, of_another_format],
)
def test_an_unfit_checkpoint_is_left_aside_and_leaves_no_trace(tmp_path: Path, damage: Any) -> None:
    whole, _ = trained()
    kept = Checkpoint(tmp_path / "training.ckpt", "a", every_seconds=0)
    with pytest.raises(StoppedError):
        trained(checkpoint=kept, loggers=[Stops(tmp_path, "logs")])
    damage(kept.path)
    with pytest.warns(UserWarning, match="training begins anew, for its checkpoint is unfit"):
        again, history = trained(checkpoint=kept)
    assert history.resumed_after == 0
    assert same(again, whole)


def test_a_checkpoint_of_another_training_is_not_used(tmp_path: Path) -> None:
    path = tmp_path / "training.ckpt"
    with pytest.raises(StoppedError):
        trained(checkpoint=Checkpoint(path, "a", 0), loggers=[Stops(tmp_path, "logs")])
    with pytest.warns(UserWarning, match="of other settings, code or data"):
        _, history = trained(checkpoint=Checkpoint(path, "b", 0))
    assert history.resumed_after == 0


def test_every_kind_of_value_comes_back_as_it_was(tmp_path: Path) -> None:
    state = {
        "numbers": {0: 1.5, 7: float("-inf"), "a": None},
        "parts": ([1, 2], (True, "é")),
        "tensors": [torch.arange(3), torch.tensor(0.1, dtype=torch.float64), torch.zeros(0, 2)],
    }
    write_checkpoint(tmp_path / "state.ckpt", "a", state)
    back = read_checkpoint(tmp_path / "state.ckpt", "a")
    tensors = back.pop("tensors")
    assert back == {name: state[name] for name in back}
    assert isinstance(back["parts"], tuple)
    assert all(a.equal(b) for a, b in zip(tensors, state["tensors"], strict=True))


def test_what_would_need_code_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="a checkpoint cannot hold"):
        write_checkpoint(tmp_path / "state.ckpt", "a", {"function": print})
    assert not (tmp_path / "state.ckpt").exists()


class Slow:
    """A state that takes long to write."""

    def state_dict(self) -> dict[str, Any]:
        return {"large": torch.zeros(1 << 20)}

    def load_state_dict(self, state: Any) -> None:
        """Nothing is loaded."""


def test_writing_takes_no_more_than_a_hundredth_of_the_time(tmp_path: Path) -> None:
    kept = Checkpoint(tmp_path / "state.ckpt", every_seconds=1e-6)
    kept.keep(Slow())
    first = kept.path.stat().st_mtime_ns
    for _ in range(100):
        kept.keep(Slow())  # at once: the time that pays for another has not gone by
    assert kept.path.stat().st_mtime_ns == first


def test_a_later_stage_does_not_go_back_to_an_earlier_one(tmp_path: Path) -> None:
    train, _ = interactions(Interactions)
    model = ColdStartModel(train=train, item_buckets=torch.arange(40) % 4, embedding_dim=4)
    kept = Checkpoint(tmp_path / "training.ckpt", every_seconds=0)
    trainer = CollieMinimalTrainer(model, max_epochs=2, verbosity=0, checkpoint=kept)
    trainer.fit(model)
    model.advance_stage()
    trainer.max_epochs = 4
    trainer.fit(model)
    assert (trainer.num_epochs_completed, trainer.resumed_after) == (4, 0)
