"""The state of a training between two epochs: all that the epochs to come depend on."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from collie_core.checkpoints import Stateful

if TYPE_CHECKING:
    from collie_core.model.minimal_trainer import CollieMinimalTrainer

COUNTERS = ("num_epochs_completed", "train_steps", "best_loss", "epochs_without_better")


def state_of(trainer: "CollieMinimalTrainer") -> dict[str, Any]:
    """Return the state of a trainer that is between two epochs; its tensors are those in use."""
    model, watcher = trainer.model, trainer.after_epoch
    return {
        "counters": {name: getattr(trainer, name) for name in COUNTERS},
        "model": model.state_dict(),
        "model_epochs": model.hparams["num_epochs_completed"],
        "optimizer": trainer.optimizer.state_dict(),
        "schedulers": [each.state_dict() for each in trainer.schedulers],
        "watcher": watcher.state_dict() if isinstance(watcher, Stateful) else None,
        "batches": [getattr(each, "epoch", None) for each in _samplers(trainer)],
        "random": random_state(trainer.device),
    }


def restore(trainer: "CollieMinimalTrainer", state: Mapping[str, Any]) -> None:
    """Put `trainer` to `state`, which `state_of` gave of one with the same model and data."""
    trainer.model.load_state_dict(state["model"])
    trainer.optimizer.load_state_dict(state["optimizer"])
    for scheduler, each in zip(trainer.schedulers, state["schedulers"], strict=True):
        scheduler.load_state_dict(each)
    for sampler, epoch in zip(_samplers(trainer), state["batches"], strict=True):
        if epoch is not None:
            sampler.set_epoch(epoch)
    trainer.model.hparams["num_epochs_completed"] = state["model_epochs"]
    for name in COUNTERS:
        setattr(trainer, name, state["counters"][name])
    restore_random(state["random"], trainer.device)
    if isinstance(trainer.after_epoch, Stateful):  # last, for it may tell others
        trainer.after_epoch.load_state_dict(state["watcher"])


def random_state(device: torch.device) -> dict[str, Tensor]:
    """Return the states of torch's generators that training on `device` draws from."""
    states = {"cpu": torch.get_rng_state()}
    if device.type == "cuda":
        states["cuda"] = torch.cuda.get_rng_state(device)
    if device.type == "mps":
        states["mps"] = torch.mps.get_rng_state()
    return states


def restore_random(states: Mapping[str, Tensor], device: torch.device) -> None:
    """Put torch's generators to `states`, which `random_state` gave."""
    if device.type == "cuda":
        torch.cuda.set_rng_state(states["cuda"], device)
    if device.type == "mps":
        torch.mps.set_rng_state(states["mps"])
    torch.set_rng_state(states["cpu"])


def _samplers(trainer: "CollieMinimalTrainer") -> list[Any]:
    """Return the samplers of the data to train and to validate on; each counts its epochs."""
    loaders = (trainer.model.train_loader, trainer.model.val_loader)
    return [each.sampler for each in loaders if each is not None]
