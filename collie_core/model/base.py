"""The plumbing that every neural model shares."""

from abc import abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any, ClassVar, cast

import torch
from torch import Tensor
from torch.optim import Optimizer

from collie_core.bundle import read_bundle
from collie_core.loss import (
    ALL_ITEMS_LOSSES,
    EXPLICIT_LOSSES,
    OneOfMany,
    check_metadata,
    resolve_loss,
)
from collie_core.model.dropout import remembered, repeats
from collie_core.model.hyperparameters import is_hyperparameter, loggable
from collie_core.model.loading import AnyInteractions, Loader, as_loader, negatives_of, shape_of
from collie_core.model.optimizers import check_optimizer, optimizer_of
from collie_core.model.options import OptimizerChoice, SharedOptions, TrainingOptions
from collie_core.model.rendering import show_options
from collie_core.model.stored import Stored

ImplicitBatch = tuple[tuple[Tensor, Tensor], Tensor]
ExplicitBatch = tuple[Tensor, Tensor, Tensor]
Batch = ImplicitBatch | ExplicitBatch


class BasePipeline(Stored):
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
        self._epoch_loss, self._epoch_rows = torch.zeros(()), 0
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

    @property
    def loss_function(self) -> Callable[..., Tensor]:
        """What `options.loss` means for the training data."""
        if self._loss_function is None:
            loader = self._training_data()
            self._loss_function = resolve_loss(self.options.loss, negatives_of(loader))
        return self._loss_function

    def calculate_loss(self, batch: Batch) -> Tensor:
        """Return the loss () of a batch, whose form says what kind of data it is.

        Parameters
        ----------
        batch : implicit, ((users (B,), items (B,)), negative items (B, K)), or explicit, (users
            (B,), items (B,), ratings (B,)).

        Raises
        ------
        ValueError
            If it has neither form, or the loss is for the other.
        """
        if len(batch) not in (2, 3) or (len(batch) == 2 and len(batch[0]) != 2):
            raise ValueError(
                f"the batch has {len(batch)} parts, must be ((users, items), negative items) or "
                "(users, items, ratings)"
            )
        loss, is_explicit = self.options.loss, len(batch) == 3
        if isinstance(loss, str) and (loss in EXPLICIT_LOSSES) != is_explicit:
            kind = "explicit" if is_explicit else "implicit"
            raise ValueError(f"loss {loss!r} is not for {kind} data: see collie_core.loss")
        value = self._explicit_loss(batch) if len(batch) == 3 else self._implicit_loss(batch)
        penalty = self.penalty(batch[0] if len(batch) == 3 else batch[0][0])
        return value if penalty is None or not self.training else value + penalty

    def penalty(self, users: Tensor) -> Tensor | None:  # noqa: ARG002 - a subclass's
        """Return what training adds to the loss of a batch with `users` (B,), (); None for none."""
        return None

    def _explicit_loss(self, batch: ExplicitBatch) -> Tensor:
        users, items, ratings = batch
        scores = self(users, items)
        return self.loss_function(scores, ratings.to(scores.dtype))

    def _implicit_loss(self, batch: ImplicitBatch) -> Tensor:
        (users, positives), negatives = batch
        function = self.loss_function
        if function in ALL_ITEMS_LOSSES.values():
            everyone, places = distinct(users)
            return function(self.score_all(everyone), positives, places)
        if isinstance(function, OneOfMany) and repeats(self):
            return self._loss_of_chosen(function, users, positives, negatives)
        scores, many_scores = self._scored(users, positives, negatives)
        one = negatives.shape[1] == 1
        return function(
            scores,
            many_scores[0] if one else many_scores,
            num_items=self.num_items,
            positive_items=positives,
            negative_items=negatives[:, 0] if one else negatives.T,
            **self._credit(),
        )

    def _loss_of_chosen(
        self, function: OneOfMany, users: Tensor, positives: Tensor, negatives: Tensor
    ) -> Tensor:
        credit = self._credit()
        with remembered(negatives.shape[1] + 1) as masks:
            with torch.no_grad():
                scores = self._scored(users, positives, negatives)
            which, weights = function.choose(
                *scores, self.num_items, positives, negatives.T, **credit
            )
            masks.places = torch.stack([torch.zeros_like(which), which + 1], dim=1)
            chosen = negatives.gather(1, which[:, None])
            score, chosen_score = self._scored(users, positives, chosen)
        return function.of_pair(score, chosen_score[0], weights, positives, chosen[:, 0], **credit)

    def _scored(self, users: Tensor, positives: Tensor, negatives: Tensor) -> tuple[Tensor, Tensor]:
        """Return the scores of positives (B,) and of negatives (B, K), the latter as (K, B)."""
        scores = self.score_candidates(users, torch.cat([positives[:, None], negatives], dim=1))
        return scores[:, 0], scores[:, 1:].T

    def _credit(self) -> dict[str, Any]:
        """Return what partial credit is computed of."""
        names, weights = self.options.metadata_for_loss, self.options.metadata_for_loss_weights
        metadata = {name: getattr(self, f"metadata_{name}") for name in names or {}}
        return {"metadata": metadata, "metadata_weights": weights or {}}

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
        self._epoch_loss, self._epoch_rows = torch.zeros(()), 0

    def on_train_epoch_end(self) -> None:
        """Count the epoch, and log its mean loss."""
        self.hparams["num_epochs_completed"] += 1
        if self._epoch_rows:
            loss, rows = self._epoch_loss / self._epoch_rows, self._epoch_rows
            self.log("train_loss", loss, logger=False, batch_size=rows, sync_dist=True)
            self.log("train_loss_epoch", loss, batch_size=rows, sync_dist=True)

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


def distinct(users: Tensor) -> tuple[Tensor, Tensor]:
    """Return each of `users` (B,) once, and the place of each row among them (B,)."""
    if users.is_meta:  # there is nothing to compare where memory is only counted
        return users, users
    return cast("tuple[Tensor, Tensor]", torch.unique(users, return_inverse=True))
