"""What looks at a training after each epoch: notes it, judges it, and says when to stop."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from pytorch_lightning.loggers import Logger
from torch import Tensor

from collie_core.model import BasePipeline
from collie_core.model.hyperparameters import loggable


@dataclass
class History:
    """What happened in each epoch, and which one was kept.

    Parameters
    ----------
    losses : training loss of each epoch.
    scores : what validation said of each epoch; empty without validation data.
    metric : what `scores` are: "mapk", or "mse", of which less is better.
    best_epoch : the epoch, from 1, whose weights the model has at the end.
    seconds : time spent, validation included, and that before a checkpoint too.
    resumed_after : epochs that were done when training went on from a checkpoint, else 0.
    """

    losses: list[float] = field(default_factory=list)
    scores: list[float] = field(default_factory=list)
    metric: str = "mapk"
    best_epoch: int = 0
    seconds: float = 0.0
    resumed_after: int = 0

    @property
    def best_score(self) -> float:
        """What validation said of the epoch that was kept."""
        return self.scores[self.best_epoch - 1]

    def row(self, epoch: int) -> dict[str, float]:
        """Return the numbers of `epoch`, from 1, by name."""
        row = {"train_loss": self.losses[epoch - 1]}
        return row | ({f"validation_{self.metric}": self.scores[epoch - 1]} if self.scores else {})


@dataclass(frozen=True)
class Judge:
    """What an epoch is judged by: its name, how it is measured, and whether less is better."""

    metric: str
    measure: Callable[[], float]
    less_is_better: bool = False


Told = Callable[[History], None]  # whoever wants to know of each epoch


class Watcher:
    """Notes the loss of each epoch, and keeps the last."""

    def __init__(
        self, history: History, loggers: Sequence[Logger] = (), told: Told | None = None
    ) -> None:
        self.history, self.loggers, self.told = history, loggers, told
        self._began = time.perf_counter()

    def __call__(self, epoch: int, train_loss: float, validation_loss: float | None) -> bool:  # noqa: ARG002 - the trainer's signature
        """Note `epoch`, and return whether training is over."""
        self.history.losses.append(train_loss)
        is_over = self._judged(epoch)
        self._log(epoch)
        if self.told is not None:
            self.told(self.history)
        return is_over

    def _judged(self, epoch: int) -> bool:
        self.history.best_epoch = epoch
        return False

    def _log(self, epoch: int) -> None:
        for logger in self.loggers:
            logger.log_metrics(self.history.row(epoch), step=epoch)
            logger.save()

    def finish(self) -> None:
        """Add the time since the beginning to that of the history."""
        self.history.seconds += time.perf_counter() - self._began
        self._began = time.perf_counter()

    def state_dict(self) -> dict[str, Any]:
        """Return what is noted so far."""
        self.finish()
        noted = ("losses", "scores", "best_epoch", "seconds")
        return {name: getattr(self.history, name) for name in noted}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on after the epochs of `state`, which loggers are told of."""
        history = self.history
        history.losses, history.scores = list(state["losses"]), list(state["scores"])
        history.best_epoch, history.seconds = state["best_epoch"], state["seconds"]
        for epoch in range(1, len(history.losses) + 1):
            self._log(epoch)


class BestWeights(Watcher):
    """Judges the model after each epoch, keeps the best weights, and says when to stop."""

    def __init__(
        self,
        history: History,
        loggers: Sequence[Logger],
        model: BasePipeline,
        judge: Judge,
        patience: int,
        told: Told | None = None,
    ) -> None:
        super().__init__(history, loggers, told)
        self.model, self.judge, self.patience = model, judge, patience
        self.best = float("-inf")
        self.weights: dict[str, Tensor] = {}
        history.metric = judge.metric

    def _judged(self, epoch: int) -> bool:
        score = self.judge.measure()
        self.history.scores.append(score)
        merit = -score if self.judge.less_is_better else score
        if merit > self.best:
            self.best, self.history.best_epoch = merit, epoch
            self.weights = {n: v.detach().clone() for n, v in self.model.state_dict().items()}
        return epoch - self.history.best_epoch >= self.patience

    def state_dict(self) -> dict[str, Any]:
        """Return what is noted so far, and the best weights."""
        return {**super().state_dict(), "best": self.best, "weights": self.weights}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on after the epochs of `state`, with its best weights."""
        self.best, self.weights = state["best"], dict(state["weights"])
        super().load_state_dict(state)


@contextmanager
def logging(loggers: Sequence[Logger], model: BasePipeline) -> Iterator[None]:
    """Tell `loggers` what is trained, and after the block how it ended."""
    for logger in loggers:
        logger.log_hyperparams(loggable(model.hparams))
    try:
        yield
    except BaseException:
        for logger in loggers:
            logger.finalize("failed")
        raise
    for logger in loggers:
        logger.finalize("success")
