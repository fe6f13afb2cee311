"""Training for as many epochs as the validation data ask for."""

import time
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from collie_core.interactions import Interactions
from collie_core.metrics import evaluate_per_user
from collie_core.model import BasePipeline, CollieMinimalTrainer


@dataclass
class History:
    """What happened in each epoch, and which one was kept.

    Parameters
    ----------
    losses : training loss of each epoch.
    scores : validation MAP@K of each epoch; empty without validation data.
    best_epoch : the epoch, from 1, whose weights the model has at the end.
    seconds : time spent, validation included.
    """

    losses: list[float] = field(default_factory=list)
    scores: list[float] = field(default_factory=list)
    best_epoch: int = 0
    seconds: float = 0.0


@dataclass
class _Watcher:
    """Notes the loss of each epoch, and keeps the last."""

    history: History

    def __call__(self, epoch: int, train_loss: float, validation_loss: float | None) -> bool:  # noqa: ARG002 - the trainer's signature
        self.history.losses.append(train_loss)
        self.history.best_epoch = epoch
        return False


@dataclass
class _BestWeights(_Watcher):
    """Scores the model after each epoch, keeps the best weights, and says when to stop."""

    model: BasePipeline
    validation: Interactions
    seen: Any
    k: int
    patience: int
    best_score: float = float("-inf")
    weights: dict[str, Tensor] = field(default_factory=dict)

    def __call__(self, epoch: int, train_loss: float, validation_loss: float | None) -> bool:  # noqa: ARG002
        per_user = evaluate_per_user(
            self.model, self.validation, k=self.k, exclude=self.seen, metrics=("mapk",)
        )
        score = float(per_user["mapk"].mean())
        self.history.losses.append(train_loss)
        self.history.scores.append(score)
        if score > self.best_score:
            self.best_score, self.history.best_epoch = score, epoch
            self.weights = {n: v.detach().clone() for n, v in self.model.state_dict().items()}
        return epoch - self.history.best_epoch >= self.patience


def fit(
    model: BasePipeline,
    max_epochs: int,
    validation: Interactions | None = None,
    *,
    seen: Any = None,
    k: int = 10,
    patience: int = 5,
    device: str = "cpu",
) -> History:
    """Train `model` and return what happened.

    Parameters
    ----------
    max_epochs : epochs at most, or exactly without `validation`.
    validation : interactions on which MAP@K is measured after every epoch; the model ends with
        the weights of its best epoch.
    seen : interactions or matrix (U, N) whose items leave the ranking in validation.
    k : K of MAP@K.
    patience : epochs without a better MAP@K before training stops.
    device : where to train, in torch's words.

    Raises
    ------
    ValueError
        If the loss is not finite.
    """
    history, began = History(), time.perf_counter()
    before = model.hparams["num_epochs_completed"]
    watcher = _Watcher(history)
    if validation is not None:
        watcher = _BestWeights(history, model, validation, seen, k, patience)
    trainer = CollieMinimalTrainer(
        model,
        max_epochs=max_epochs,
        gpus=False,
        device=device,
        early_stopping_patience=None,
        terminate_on_nan=True,
        verbosity=0,
        after_epoch=watcher,
    )
    trainer.fit(model)
    if isinstance(watcher, _BestWeights) and watcher.weights:
        model.load_state_dict(watcher.weights)
    model.hparams["num_epochs_completed"] = before + history.best_epoch
    model.eval()
    history.seconds = time.perf_counter() - began
    return history
