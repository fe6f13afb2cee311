"""The plumbing that every neural model shares."""

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, ClassVar, Self, cast

import pandas as pd
import torch
from pytorch_lightning import LightningModule
from torch import Tensor
from torch.optim import Optimizer

from collie_core.bundle import Bundle, read_bundle, save_bundle
from collie_core.loss import check_metadata, resolve_loss
from collie_core.model.blocks import cosine_to_all
from collie_core.model.loading import AnyInteractions, Loader, as_loader, shape_of
from collie_core.model.optimizers import optimizer_of
from collie_core.model.options import SharedOptions, TrainingOptions

PAIRS_A_BLOCK = 1 << 20  # bounds the memory of scoring pair by pair: about 4 MiB a layer unit
Batch = tuple[tuple[Tensor, Tensor], Tensor]


class BasePipeline(LightningModule):
    """Template of a model: a subclass has `_setup_model` and `forward`, and all else is here.

    Parameters
    ----------
    train, val : interactions, or a loader of them; interactions are put into a loader, which
        shuffles `train`. Not needed with `load_model_path`.
    options : the training options; without it they are taken from `kwargs`.
    **kwargs : hyperparameters of the subclass (and options), kept in `hparams`.

    Raises
    ------
    TypeError
        If neither `train` nor `load_model_path` is given.
    ValueError
        If an option is out of its bounds, or the bundle is damaged or another model's.
    """

    options_type: ClassVar[type[SharedOptions]] = TrainingOptions
    option_defaults: ClassVar[Mapping[str, Any]] = {}

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
        self.train_loader: Loader | None = as_loader(train, shuffle=True)
        self.val_loader: Loader | None = as_loader(val, shuffle=False)
        if options.load_model_path is not None:
            bundle = read_bundle(options.load_model_path)
            self._restore(options, bundle)
            self.to(options.map_location or "cpu")
        elif self.train_loader is None:
            raise TypeError(
                f"{type(self).__name__} has neither train nor load_model_path: pass one"
            )
        else:
            num_users, num_items = shape_of(self.train_loader, self.val_loader)
            self._build(options, {"num_users": num_users, "num_items": num_items, **kwargs})
        if self.train_loader is not None:
            self.loss_function = resolve_loss(options.loss, self.train_loader.num_negative_samples)

    def _build(self, options: SharedOptions, own: Mapping[str, Any]) -> None:
        self.options = options
        shared = {field.name: getattr(options, field.name) for field in fields(options)}
        # save_hyperparameters would compare arrays it finds in the callers' frames
        self.hparams.update({"num_epochs_completed": 0, **shared, **own})
        self._setup_model()
        if options.metadata_for_loss is not None:
            weights = options.metadata_for_loss_weights or {}
            check_metadata(options.metadata_for_loss, weights, self.num_items)
            for name, codes in options.metadata_for_loss.items():
                self.register_buffer(f"metadata_{name}", codes.flatten(), persistent=False)

    def _restore(self, options: SharedOptions, bundle: Bundle) -> None:
        if bundle.class_name != type(self).__name__:
            raise ValueError(
                f"the bundle holds a {bundle.class_name}, not a {type(self).__name__}: "
                f"load it with {bundle.class_name}(load_model_path=...)"
            )
        self._build(options, bundle.config)
        try:
            self.load_state_dict(bundle.tensors)
        except RuntimeError as error:
            raise ValueError(f"the bundle's arrays do not fit its config: {error}") from None
        self.eval()

    def _setup_model(self, **kwargs: Any) -> None:
        """Make the layers from `self.hparams`, which came from the call or from the bundle."""
        raise NotImplementedError(f"{type(self).__name__} must override _setup_model")

    def forward(self, users: Tensor, items: Tensor) -> Tensor:
        """Score the pairs of `users` and `items`, both (B,): (B,), higher is better."""
        raise NotImplementedError(f"{type(self).__name__} must override forward")

    @property
    def num_users(self) -> int:
        """Number of users, U."""
        return int(self.hparams["num_users"])

    @property
    def num_items(self) -> int:
        """Number of items, N."""
        return int(self.hparams["num_items"])

    def score_candidates(self, users: Tensor, items: Tensor) -> Tensor:
        """Score for each of `users` (B,) its own row of `items` (B, C): (B, C).

        A model whose layers broadcast overrides this, and gathers each user's vector once.
        """
        pairs = self(users.repeat_interleave(items.shape[1]), items.flatten())
        return cast("Tensor", pairs).reshape(items.shape)

    def score_all(self, users: Tensor) -> Tensor:
        """Score every item for `users` (B,): (B, N), higher is better."""
        users = users.to(self.device)
        every = torch.arange(self.num_items, device=self.device)
        blocks = torch.split(users, max(1, PAIRS_A_BLOCK // self.num_items))
        scores = [self.score_candidates(block, every.expand(len(block), -1)) for block in blocks]
        return torch.cat(scores) if scores else torch.empty(0, self.num_items, device=self.device)

    @torch.no_grad()
    def get_item_predictions(
        self, user_id: int = 0, unseen_items_only: bool = False, sort_values: bool = True
    ) -> "pd.Series[float]":
        """Return the scores of all items for `user_id`, by item.

        `unseen_items_only` leaves out the items that the user has in the training and validation
        data; `sort_values` puts the best first, equal scores by item.
        """
        scores = self.score_all(torch.tensor([user_id]))[0].cpu().numpy()
        predictions = pd.Series(scores, name="score")
        if unseen_items_only:
            predictions = predictions.drop(self._seen_items(user_id))
        if sort_values:
            return predictions.sort_values(ascending=False, kind="stable")
        return predictions

    def _seen_items(self, user_id: int) -> list[int]:
        seen: set[int] = set()
        for name in ("train_loader", "val_loader"):
            if (loader := getattr(self, name)) is not None:
                rows = loader.mat.row == user_id
                seen.update(loader.mat.col[rows].tolist())
            elif name == "train_loader":
                raise ValueError("train_loader is None: a loaded model has no data, set it first")
        return sorted(seen)

    @torch.no_grad()
    def item_item_similarity(self, item_id: int) -> "pd.Series[float]":
        """Return the cosine of `item_id`'s embedding with every item's, best first."""
        vectors = self._get_item_embeddings()
        similarities = cosine_to_all(vectors[item_id], vectors).cpu().numpy()
        return pd.Series(similarities).sort_values(ascending=False, kind="stable")

    def _get_item_embeddings(self) -> Tensor:
        """Return the items' vectors (N, D)."""
        raise NotImplementedError(f"{type(self).__name__} must override _get_item_embeddings")

    def calculate_loss(self, batch: Batch) -> Tensor:
        """Return the loss () of a batch ((users (B,), items (B,)), negative items (B, K))."""
        (users, positives), negatives = batch
        items = torch.cat([positives[:, None], negatives], dim=1)
        scores = self.score_candidates(users, items)
        one = negatives.shape[1] == 1
        metadata = {n: getattr(self, f"metadata_{n}") for n in self.options.metadata_for_loss or {}}
        return self.loss_function(
            scores[:, 0],
            scores[:, 1] if one else scores[:, 1:].T,
            num_items=self.num_items,
            positive_items=positives,
            negative_items=negatives[:, 0] if one else negatives.T,
            metadata=metadata,
            metadata_weights=self.options.metadata_for_loss_weights or {},
        )

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:  # noqa: ARG002 - Lightning's
        """Return the loss of one training batch."""
        loss = self.calculate_loss(batch)
        size = len(batch[1])
        self.log("train_loss", loss, on_step=True, on_epoch=True, batch_size=size)
        return loss

    def validation_step(self, batch: Batch, batch_idx: int) -> None:  # noqa: ARG002 - Lightning's
        """Log the loss of one validation batch."""
        loss = self.calculate_loss(batch)
        self.log("val_loss", loss, on_step=True, on_epoch=True, batch_size=len(batch[1]))

    def on_train_epoch_end(self) -> None:
        """Count the epoch."""
        self.hparams["num_epochs_completed"] += 1

    def train_dataloader(self) -> Loader:
        """Return the loader of the training data."""
        if self.train_loader is None:
            raise ValueError("train_loader is None: a loaded model has no data, set it first")
        return self.train_loader

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

    def _make_optimizer(self) -> Optimizer:
        return optimizer_of(cast("TrainingOptions", self.options), self.named_parameters())

    def save_model(self, filename: str | Path = "model.pth") -> None:
        """Save the model as one file, or as a folder where `filename` has no suffix."""
        save_bundle(self, filename)

    def tensors(self) -> dict[str, Tensor]:
        """Return the arrays that a bundle keeps."""
        return {name: value.detach().cpu() for name, value in self.state_dict().items()}

    def config(self) -> dict[str, Any]:
        """Return the hyperparameters that a bundle keeps: all but the training options."""
        shared = {field.name for field in fields(self.options)}
        return {name: value for name, value in self.hparams.items() if name not in shared}

    @classmethod
    def from_tensors(cls, config: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> Self:
        """Rebuild the model that gave `config` and `tensors`."""
        model = cls.__new__(cls)
        LightningModule.__init__(model)
        model.train_loader = model.val_loader = None
        model._restore(cls.options_type(), Bundle(cls.__name__, dict(config), dict(tensors)))
        return model
