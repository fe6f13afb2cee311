"""Training for as many epochs as the validation data ask for."""

from collections.abc import Sequence
from typing import Any

from pytorch_lightning.loggers import Logger

from collie_core.checkpoints import Checkpoint
from collie_core.interactions import ExplicitInteractions, Interactions
from collie_core.metrics import evaluate_per_user, explicit_evaluate_in_batches
from collie_core.model import BasePipeline, CollieMinimalTrainer
from collie_core.watchers import BestWeights, History, Judge, Told, Watcher, logging

__all__ = ["History", "fit"]


def fit(
    model: BasePipeline,
    max_epochs: int,
    validation: Interactions | ExplicitInteractions | None = None,
    *,
    seen: Any = None,
    k: int = 10,
    patience: int = 5,
    device: str = "cpu",
    checkpoint: Checkpoint | None = None,
    loggers: Sequence[Logger] = (),
    after_epoch: Told | None = None,
) -> History:
    """Train `model` and return what happened.

    Parameters
    ----------
    max_epochs : epochs at most, or exactly without `validation`.
    validation : interactions on which MAP@K is measured after every epoch, or ratings on which the
        mean squared error is; the model ends with the weights of its best epoch.
    seen : interactions or matrix (U, N) whose items leave the ranking in validation.
    k : K of MAP@K.
    patience : epochs without a better one before training stops.
    device : where to train, in torch's words.
    checkpoint : where the training leaves its state, and goes on from; see `CollieMinimalTrainer`.
    loggers : receive the loss and the metric of each epoch, those before a checkpoint too.
    after_epoch : called with what happened so far; what it raises ends the training.

    Raises
    ------
    ValueError
        If the loss is not finite.
    """
    history = History()
    before = model.hparams["num_epochs_completed"]
    if validation is None:
        watcher = Watcher(history, loggers, after_epoch)
    else:
        judge = _judge(model, validation, seen, k)
        watcher = BestWeights(history, loggers, model, judge, patience, after_epoch)
    trainer = CollieMinimalTrainer(
        model,
        max_epochs=max_epochs,
        gpus=False,
        device=device,
        early_stopping_patience=None,
        terminate_on_nan=True,
        verbosity=0,
        after_epoch=watcher,
        checkpoint=checkpoint,
    )
    with logging(loggers, model):
        trainer.fit(model)
    if isinstance(watcher, BestWeights) and watcher.weights:
        model.load_state_dict(watcher.weights)
    model.hparams["num_epochs_completed"] = before + history.best_epoch
    model.eval()
    history.resumed_after = trainer.resumed_after
    watcher.finish()
    return history


def _judge(
    model: BasePipeline, validation: Interactions | ExplicitInteractions, seen: Any, k: int
) -> Judge:
    """Return what the kind of `validation` asks of `model`."""
    if isinstance(validation, ExplicitInteractions):
        return Judge("mse", lambda: _squared_error(model, validation), less_is_better=True)
    return Judge("mapk", lambda: _mapk(model, validation, seen, k))


def _mapk(model: BasePipeline, validation: Interactions, seen: Any, k: int) -> float:
    per_user = evaluate_per_user(model, validation, k=k, exclude=seen, metrics=("mapk",))
    return float(per_user["mapk"].mean())


def _squared_error(model: BasePipeline, validation: ExplicitInteractions) -> float:
    from torchmetrics import MeanSquaredError  # takes a second to load

    metrics = [MeanSquaredError()]
    return explicit_evaluate_in_batches(metrics, validation, model, verbose=False)[0]
