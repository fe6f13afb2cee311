"""The plumbing that every neural model shares."""

from abc import abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any, ClassVar, cast

from torch import Tensor
from torch.optim import Optimizer

from collie_core.bundle import read_bundle
from collie_core.loss import ALL_ITEMS_LOSSES, check_metadata, resolve_loss
from collie_core.model.hyperparameters import is_hyperparameter, loggable
from collie_core.model.learning import Batch, Learning
from collie_core.model.loading import AnyInteractions, Loader, as_loader, negatives_of, shape_of
from collie_core.model.optimizers import check_optimizer, optimizer_of
from collie_core.model.options import OptimizerChoice, SharedOptions, TrainingOptions
from collie_core.model.rendering import show_options


class BasePipeline(Learning):
    """Template of a model: a subclass has `_setup_model` and `forward`, and all else is here.

    For `item_item_similarity` and `user_user_similarity` it has `_get_item_embeddings` and
    `_get_user_embeddings` as well. `collie_core.testing.check_model` says whether it is right.

    Parameters
    ----------
    train, val : interactions, or a loader of them; interactions are put into a loader, which
        shuffles `train`. Not needed with `load_model_path`.
    options : the training options; without it they are taken from `kwargs`.
    **kwargs : hyperparameters of the subclass (and options), handed to `_setup_model`, and kept in
        `hparams` but for tensors and modules.

    Raises
    ------
    TypeError
        If neither `train` nor `load_model_path` is given.
    ValueError
        If an option is out of its bounds, the loss is not for these data, or the bundle is damaged
        or another model's.
    """

    options_type: ClassVar[type[SharedOptions]] = TrainingOptions
    option_defaults: ClassVar[Mapping[str, Any]] = {}

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        show_options(cls, cls.options_type)

    def __init__(
        self,
        train: AnyInteractions = None,
        val: AnyInteractions = None,
        options: SharedOptions | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__()
        if options is None:
            shared = {field.name for field in fields(self.options_type)} & kwargs.keys()
            options = self.options_type.of(type(self), {name: kwargs.pop(name) for name in shared})
        self.train_loader = as_loader(train, shuffle=True)
        self.val_loader = as_loader(val, shuffle=False)
        if options.load_model_path is not None:
            self._restore(options, read_bundle(options.load_model_path), kwargs)
            self.to(options.map_location or "cpu")
        elif self.train_loader is None:
            raise TypeError(
                f"{type(self).__name__} has neither train nor load_model_path: pass one"
            )
        else:
            num_users, num_items = shape_of(self.train_loader, self.val_loader)
            resolve_loss(options.loss, negatives_of(self.train_loader))
            self._build(options, {"num_users": num_users, "num_items": num_items, **kwargs})

    def _build(self, options: SharedOptions, own: Mapping[str, Any]) -> None:
        self.options = options
        self._loss_function: Callable[..., Tensor] | None = None
        self._epoch_loss: Tensor | float = 0.0  # a tensor only in an epoch, on its device
        self._epoch_rows = 0
        shared = {field.name: getattr(options, field.name) for field in fields(options)}
        kept = {name: value for name, value in own.items() if is_hyperparameter(value)}
        # save_hyperparameters would compare arrays it finds in the callers' frames
        self.hparams.update({"num_epochs_completed": 0, **shared, **kept})
        if self.train_loader is not None:
            for choice in self._optimizer_choices():
                check_optimizer(choice, options.weight_decay, is_sparse=self._is_sparse)
        metadata, weights = options.metadata_for_loss or {}, options.metadata_for_loss_weights or {}
        check_metadata(metadata, weights, self.num_items)
        if metadata and options.loss in (*ALL_ITEMS_LOSSES, *ALL_ITEMS_LOSSES.values()):
            raise ValueError(
                f"metadata_for_loss is given, but loss {options.loss!r} knows no partial credit: "
                "leave it out, or use 'softmax'"
            )
        self._setup_model(**own)
        for name, codes in metadata.items():
            self.register_buffer(f"metadata_{name}", codes.flatten(), persistent=False)

    @property
    def _is_sparse(self) -> bool:
        return bool(self.hparams.get("sparse"))

    @abstractmethod
    def _setup_model(self, **kwargs: Any) -> None:
        """Make the layers from `self.hparams`, which came from the call or from the bundle."""

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:  # noqa: ARG002 - Lightning's
        """Return the loss of one training batch."""
        loss, size = self.calculate_loss(batch), len(batch[-1])
        if self._trainer is not None:
            self._epoch_loss = self._epoch_loss + loss.detach() * size
            self._epoch_rows += size
            self._log_step(loss, size)
        return loss

    def _log_step(self, loss: Tensor, size: int) -> None:
        """Log the loss of a step if loggers ask for it: to log each took a tenth of training."""
        often = self.trainer.log_every_n_steps  # type: ignore[attr-defined] # set from elsewhere
        if often and (self.trainer.global_step + 1) % often == 0:
            self.log("train_loss_step", loss, on_step=True, batch_size=size, sync_dist=True)

    def validation_step(self, batch: Batch, batch_idx: int) -> Tensor:  # noqa: ARG002 - Lightning's
        """Return the loss of one validation batch."""
        loss, size = self.calculate_loss(batch), len(batch[-1])
        # the mean over all processes, so that they stop early together
        self.log("val_loss", loss, on_step=True, on_epoch=True, batch_size=size, sync_dist=True)
        return loss

    def on_fit_start(self) -> None:
        """Give the hyperparameters to the loggers."""
        for logger in self.loggers:
            logger.log_hyperparams(loggable(self.hparams))

    def on_train_epoch_start(self) -> None:
        """Begin the epoch's mean loss."""
        self._epoch_loss, self._epoch_rows = 0.0, 0

    def on_train_epoch_end(self) -> None:
        """Count the epoch, and log its mean loss."""
        self.hparams["num_epochs_completed"] += 1
        if self._epoch_rows:
            loss, rows = self._epoch_loss / self._epoch_rows, self._epoch_rows
            self.log("train_loss", loss, logger=False, batch_size=rows, sync_dist=True)
            self.log("train_loss_epoch", loss, batch_size=rows, sync_dist=True)
            self._epoch_loss, self._epoch_rows = 0.0, 0

    def train_dataloader(self) -> Loader:
        """Return the loader of the training data."""
        return self._training_data()

    def val_dataloader(self) -> Loader | list[Loader]:
        """Return the loader of the validation data; none is an empty list to Lightning."""
        return [] if self.val_loader is None else self.val_loader

    def configure_optimizers(self) -> Any:
        """Return the optimizer, with its scheduler where `lr_scheduler_func` gives one."""
        optimizer = self._make_optimizer()
        if self.options.lr_scheduler_func is None:
            return optimizer
        monitor = "train_loss_epoch" if self.val_loader is None else "val_loss_epoch"
        scheduler = self.options.lr_scheduler_func(optimizer)
        return {
            "optimizer": optimizer,
            "lr_scheduler": {"scheduler": scheduler, "monitor": monitor},
        }

    def _optimizer_choices(self) -> list[OptimizerChoice]:
        """Return the optimizers that training is going to use."""
        options = cast("TrainingOptions", self.options)
        bias = options.bias_optimizer
        return [options.optimizer, *([] if bias in (None, "infer") else [bias])]

    def _make_optimizer(self) -> Optimizer:
        return optimizer_of(cast("TrainingOptions", self.options), self.named_parameters())
