"""The training options that all models share, said once."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from functools import partial
from inspect import signature
from pathlib import Path
from typing import Any, Self, TypedDict

import torch
from torch import Tensor
from torch.optim.lr_scheduler import ReduceLROnPlateau

OptimizerChoice = str | Callable[..., torch.optim.Optimizer]
LossChoice = str | Callable[..., Tensor]
plateau = partial(ReduceLROnPlateau, patience=1)
# defaults of the architectures, where they are not those of the template
SCHEDULED: Mapping[str, Any] = {"lr_scheduler_func": plateau}
BIASED: Mapping[str, Any] = {**SCHEDULED, "bias_lr": 1e-2, "bias_optimizer": "sgd"}


class SharedKeywords(TypedDict, total=False):
    """The fields of `SharedOptions`, for type checkers and editors."""

    lr_scheduler_func: Callable[..., Any] | None
    weight_decay: float
    loss: LossChoice
    metadata_for_loss: Mapping[str, Tensor] | None
    metadata_for_loss_weights: Mapping[str, float] | None
    load_model_path: str | Path | None
    map_location: str | torch.device | None


class TrainingKeywords(SharedKeywords, total=False):
    """The fields of `TrainingOptions`, for type checkers and editors."""

    lr: float
    optimizer: OptimizerChoice
    bias_lr: float | str
    bias_optimizer: OptimizerChoice | None


@dataclass(frozen=True, kw_only=True)
class SharedOptions:
    """What every model takes beside its own hyperparameters.

    Parameters
    ----------
    lr_scheduler_func : called with the optimizer; None keeps the learning rate as it is.
    weight_decay : passed to each optimizer that has it; >= 0.
    loss : a name of `collie_core.loss`, or a function called with the positive scores (B,), the
        negative scores (K, B) and `num_items`, `positive_items`, `negative_items`, `metadata`,
        `metadata_weights`; for explicit data, with the scores (B,) and the ratings (B,). With more
        than one negative, a name stands for its adaptive form.
    metadata_for_loss : categorical codes by item, each (N,) or (N, 1), for partial credit.
    metadata_for_loss_weights : the credit of a match in each, summing to at most 1.
    load_model_path : a bundle that `save_model` wrote; data and optimizers are not in it.
    map_location : device on which to put a loaded model.
    """

    lr_scheduler_func: Callable[..., Any] | None = None
    weight_decay: float = 0.0
    loss: LossChoice = "hinge"
    metadata_for_loss: Mapping[str, Tensor] | None = None
    metadata_for_loss_weights: Mapping[str, float] | None = None
    load_model_path: str | Path | None = None
    map_location: str | torch.device | None = None

    def __post_init__(self) -> None:
        if not self.weight_decay >= 0:
            raise ValueError(f"weight_decay is {self.weight_decay}, must be >= 0: start from 0")

    @classmethod
    def of(cls, model: type, keywords: Mapping[str, Any]) -> Self:
        """Return the options that `keywords` and the defaults of `model` give.

        Raises
        ------
        TypeError
            If a keyword is neither an option nor a parameter of the model.
        """
        known = {field.name for field in fields(cls)}
        if unknown := sorted(keywords.keys() - known):
            own = signature(model).parameters.keys() - {"options", "self"}
            raise TypeError(f"{model.__name__} knows no {unknown}: use {sorted(own | known)}")
        return cls(**{**getattr(model, "option_defaults", {}), **keywords})


@dataclass(frozen=True, kw_only=True)
class TrainingOptions(SharedOptions):
    """What every model takes that trains in a single stage; see also `SharedOptions`.

    Parameters
    ----------
    lr : learning rate, > 0.
    optimizer : "sgd", "adagrad", "adam", "rowwise_adagrad", "sparse_adam", or a function of a list
        of parameter groups with their `lr` and `weight_decay`, such as a class of `torch.optim`.
    bias_lr : learning rate of the parameters with "bias" in their name; "infer" takes `lr`.
    bias_optimizer : optimizer of those; "infer" takes `optimizer`, None leaves them with the rest.
    """

    lr: float = 1e-3
    optimizer: OptimizerChoice = "adam"
    bias_lr: float | str = "infer"
    bias_optimizer: OptimizerChoice | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("lr", "bias_lr"):
            if (value := getattr(self, name)) != "infer" and not value > 0:
                raise ValueError(f"{name} is {value}, must be > 0: start from 1e-3")
