"""A plain training loop: fewer choices than Lightning's, and less between the batches."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, cast

import torch
from pytorch_lightning.loggers import Logger
from pytorch_lightning.utilities.model_summary.model_summary import ModelSummary
from torch.optim import Optimizer
from torch.optim.lr_scheduler import ReduceLROnPlateau
from tqdm import tqdm

from collie_core.allocator import keep_freed_memory
from collie_core.checkpoints import Checkpoint
from collie_core.model.base import BasePipeline
from collie_core.model.hyperparameters import loggable
from collie_core.model.learning import Batch
from collie_core.model.optimizers import configured
from collie_core.model.resuming import restore, state_of

AfterEpoch = Callable[[int, float, float | None], bool]


class CollieMinimalTrainer:
    """Train a model in a plain loop, on one device.

    Parameters
    ----------
    model : the model to train.
    max_epochs : epochs, counted over all calls of `fit`, at which to stop.
    gpus : True or > 0 trains on the GPU, False or 0 on the CPU, None on a GPU if there is one.
    logger : receives the losses; True has no meaning here.
    early_stopping_patience : epochs without a better loss (of validation, if there is any) before
        training stops; None or False never stops early.
    log_every_n_steps, flush_logs_every_n_steps : how often, in batches, the logger is written.
    weights_summary : prints a summary of the weights unless None.
    terminate_on_nan : refuse a loss that is not finite, naming the batch.
    benchmark, deterministic : set in `torch.backends.cudnn` while training.
    progress_bar_refresh_rate : batches between two updates of the progress bar.
    verbosity : 0 prints nothing, 1 the losses of each epoch, 2 also progress bars.
    after_epoch : called with the epoch from 1, its training and validation loss; True stops. What
        it has to remember goes into the checkpoint where it is `Stateful`.
    device : any device of torch's, such as "mps", in place of what `gpus` says.
    checkpoint : of one call of `fit`, which goes on from it if there is one, and leaves its state
        there between epochs. It ends with the weights of a training that was never stopped, bit by
        bit on a CPU. The caller removes the file.

    Attributes
    ----------
    resumed_after : epochs that were done when `fit` went on from the checkpoint, else 0.
    """

    optimizer: Optimizer
    schedulers: list[Any]

    def __init__(
        self,
        model: BasePipeline,
        max_epochs: int = 10,
        gpus: bool | int | None = None,
        logger: Logger | bool | None = None,
        early_stopping_patience: int | None = 3,
        log_every_n_steps: int = 50,
        flush_logs_every_n_steps: int = 100,
        weights_summary: str | None = "top",
        terminate_on_nan: bool = False,
        benchmark: bool = True,
        deterministic: bool = True,
        progress_bar_refresh_rate: int | None = None,
        verbosity: bool | int = True,
        *,
        after_epoch: AfterEpoch | None = None,
        device: str | None = None,
        checkpoint: Checkpoint | None = None,
    ) -> None:
        if max_epochs < 0:
            raise ValueError(f"max_epochs is {max_epochs}, must be >= 0")
        wanted = torch.cuda.is_available() if gpus is None else bool(gpus)
        if wanted and not torch.cuda.is_available():
            raise ValueError(f"gpus is {gpus}, but there is no GPU here: use gpus=0")
        self.model = model
        self.max_epochs = max_epochs
        self.device = torch.device(device or ("cuda" if wanted else "cpu"))
        self.logger = logger if isinstance(logger, Logger) else None
        self.early_stopping_patience = early_stopping_patience
        self.log_every_n_steps = log_every_n_steps
        self.flush_logs_every_n_steps = flush_logs_every_n_steps
        self.weights_summary = weights_summary
        self.terminate_on_nan = terminate_on_nan
        self.cudnn = {"benchmark": benchmark, "deterministic": deterministic}
        self.progress_bar_refresh_rate = progress_bar_refresh_rate
        self.verbosity = int(verbosity)
        self.after_epoch = after_epoch
        self.checkpoint = checkpoint
        self.num_epochs_completed = self.train_steps = self.resumed_after = 0
        self.best_loss, self.epochs_without_better = float("inf"), 0

    def fit(self, model: BasePipeline) -> None:
        """Train `model` until `max_epochs`, or until it no longer improves."""
        if self.verbosity and self.weights_summary is not None:
            print(ModelSummary(model))
        if self.logger is not None:
            self.logger.log_hyperparams(loggable(model.hparams))
        self._begin(model)
        with torch.backends.cudnn.flags(enabled=True, **self.cudnn):
            while self.num_epochs_completed < self.max_epochs:
                train_loss, validation_loss = self._epoch(model, self.optimizer)
                self._compare(train_loss if validation_loss is None else validation_loss)
                if self._is_over(train_loss, validation_loss):
                    break
                if self.checkpoint is not None:
                    self.checkpoint.keep(self)
        if self.logger is not None:
            self.logger.finalize("success")

    def state_dict(self) -> dict[str, Any]:
        """Return what the epochs to come depend on; see `collie_core.checkpoints`."""
        return state_of(self)

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go back to `state`, which `state_dict` gave for the same model and data."""
        restore(self, state)

    def _begin(self, model: BasePipeline) -> None:
        """Make the optimizer of `model`, and go on from the checkpoint if there is one."""
        keep_freed_memory()
        self.model = model.to(self.device)
        self.optimizer, self.schedulers = configured(model.configure_optimizers())
        self.best_loss, self.epochs_without_better = float("inf"), 0
        self.resumed_after = 0
        is_first = not self.num_epochs_completed
        if is_first and self.checkpoint is not None and self.checkpoint.resume(self):
            self.resumed_after = self.num_epochs_completed

    def _compare(self, watched: float) -> None:
        """Note whether the loss got better, and let schedulers know it."""
        for each in self.schedulers:
            each.step(watched) if isinstance(each, ReduceLROnPlateau) else each.step()
        is_better = watched < self.best_loss
        self.best_loss = watched if is_better else self.best_loss
        self.epochs_without_better = 0 if is_better else self.epochs_without_better + 1

    def _is_over(self, train_loss: float, validation_loss: float | None) -> bool:
        if self.after_epoch is not None and self.after_epoch(
            self.num_epochs_completed, train_loss, validation_loss
        ):
            return True
        patience = self.early_stopping_patience
        if patience is None or patience is False or self.epochs_without_better < patience:
            return False
        if self.verbosity:
            epoch = self.num_epochs_completed
            print(
                f"Epoch {epoch:>5}: Early stopping activated. No better loss in {patience} epochs."
            )
        return True

    def _epoch(self, model: BasePipeline, optimizer: Optimizer) -> tuple[float, float | None]:
        """Train and validate once; return both losses, the second None without data for it."""
        train_loss = self._train(model, optimizer)
        validation_loss = None if model.val_loader is None else self._validate(model)
        self.num_epochs_completed += 1
        model.hparams["num_epochs_completed"] += 1
        losses = {"train_loss_epoch": train_loss}
        if validation_loss is not None:
            losses["val_loss_epoch"] = validation_loss
        if self.logger is not None:
            self.logger.log_metrics(losses, step=self.num_epochs_completed)
            self.logger.save()
        if self.verbosity:
            numbers = "  ".join(f"{name[:-6]} {value:.4f}" for name, value in losses.items())
            print(f"Epoch {self.num_epochs_completed:>3}  {numbers}")
        return train_loss, validation_loss

    def _train(self, model: BasePipeline, optimizer: Optimizer) -> float:
        model.train()
        total, rows = torch.zeros((), device=self.device), 0
        for batch in self._batches(model.train_dataloader(), "train"):
            optimizer.zero_grad(set_to_none=True)
            loss = model.calculate_loss(batch)
            if self.terminate_on_nan and not torch.isfinite(loss):
                raise ValueError(
                    f"loss is {loss.item()} in batch {self.train_steps}: lower the learning rate"
                )
            torch.autograd.backward(loss)
            optimizer.step()
            self.train_steps += 1
            total += loss.detach() * len(batch[-1])
            rows += len(batch[-1])
            self._log_step(loss)
        return total.item() / max(1, rows)

    @torch.no_grad()
    def _validate(self, model: BasePipeline) -> float:
        model.eval()
        total, rows = torch.zeros((), device=self.device), 0
        for batch in self._batches(cast("Iterable[Any]", model.val_dataloader()), "validate"):
            total += model.calculate_loss(batch) * len(batch[-1])
            rows += len(batch[-1])
        return total.item() / max(1, rows)

    def _batches(self, loader: Iterable[Any], name: str) -> Iterable[Batch]:
        rate = self.progress_bar_refresh_rate or 1
        shown = tqdm(loader, desc=name, miniters=rate, leave=False, disable=self.verbosity < 2)
        for batch in shown:
            yield moved(batch, self.device)

    def _log_step(self, loss: torch.Tensor) -> None:
        if self.logger is None:
            return
        if self.train_steps % self.log_every_n_steps == 0:
            self.logger.log_metrics({"train_loss_step": loss.item()}, step=self.train_steps)
        if self.train_steps % self.flush_logs_every_n_steps == 0:
            self.logger.save()


def moved(batch: Any, device: torch.device) -> Any:
    """Return a batch, however nested, with its tensors on `device`."""
    if isinstance(batch, torch.Tensor):
        return batch.to(device)
    return tuple(moved(part, device) for part in batch)
