"""The model under test: built afresh for each check, on data that are small and always the same."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from inspect import Parameter, signature
from typing import Any, Self, cast

import torch
from torch import Tensor
from torch.optim import Optimizer

from collie_core.interactions import ExplicitInteractions, Interactions
from collie_core.loss import EXPLICIT_LOSSES
from collie_core.model import BasePipeline, MultiStagePipeline
from collie_core.model.learning import Batch
from collie_core.recommend import scoring

NUM_USERS, NUM_ITEMS = 12, 10
FEW, MANY = 3, 150  # steps of training on one batch; a perceptron needs about 100
EVERY_USER, EVERY_ITEM = torch.arange(NUM_USERS), torch.arange(NUM_ITEMS)
OURS = {"train", "val", "load_model_path"}  # arguments that the kit gives

Violations = Iterator[str]
Check = Callable[["Subject"], Violations]


def small_interactions() -> Interactions:
    """Return 40 pairs: 12 users like those of 10 items that have their remainder by 3."""
    return Interactions(**_pairs(), num_negative_samples=3)


def small_ratings() -> ExplicitInteractions:
    """Return ratings from 1 to 5 of the pairs of `small_interactions`."""
    pairs = _pairs()
    return ExplicitInteractions(**pairs, ratings=1.0 + (pairs["users"] + pairs["items"]) % 5)


def _pairs() -> dict[str, Any]:
    liked = (EVERY_USER[:, None] - EVERY_ITEM) % 3 == 0
    users, items = (numbers.numpy() for numbers in liked.nonzero(as_tuple=True))
    shape = {"num_users": NUM_USERS, "num_items": NUM_ITEMS}
    return {"users": users, "items": items, **shape, "allow_missing_ids": True, "seed": 0}


@dataclass(frozen=True)
class Subject:
    """A model class with its own arguments, and the stage in which it is looked at.

    Parameters
    ----------
    model_class : the class under test.
    arguments : of its constructor, but for those in `OURS`.
    stage : None for a model that has no stages.
    """

    model_class: type[BasePipeline]
    arguments: Mapping[str, Any]
    stage: str | None = None

    def takes(self, name: str) -> bool:
        """Return whether the constructor has a parameter called `name`, or takes any keyword."""
        parameters = signature(self.model_class).parameters
        kinds = {parameter.kind for parameter in parameters.values()}
        return name in parameters or Parameter.VAR_KEYWORD in kinds

    def required(self) -> list[str]:
        """Return the names of the parameters that have no default."""
        plain = (Parameter.POSITIONAL_OR_KEYWORD, Parameter.KEYWORD_ONLY)
        parameters = signature(self.model_class).parameters.values()
        return [p.name for p in parameters if p.default is Parameter.empty and p.kind in plain]

    def stages(self) -> list[Self]:
        """Return a subject for each stage, or this one alone."""
        model = self.build()
        stages = model.hparams["stage_list"] if isinstance(model, MultiStagePipeline) else [None]
        return [replace(self, stage=stage) for stage in stages]

    def build(self, **others: Any) -> BasePipeline:
        """Return a new model in the stage, made from the same seed; `others` are arguments too."""
        torch.manual_seed(0)
        arguments = {**self.arguments, **others}
        is_explicit = arguments.get("loss") in EXPLICIT_LOSSES
        make = small_ratings if is_explicit else small_interactions
        data: dict[str, Any] = {
            name: make() for name in ("train", "val") if name == "train" or self.takes(name)
        }
        model = self.model_class(**data, **arguments)
        return self._in_stage(model) if isinstance(model, MultiStagePipeline) else model

    def _in_stage(self, model: MultiStagePipeline) -> MultiStagePipeline:
        stages = model.hparams["stage_list"] if self.stage else []
        for stage in stages[: stages.index(self.stage) + 1] if stages else []:
            model.set_stage(stage)  # one after the other, as training does
        return model

    def trained(self) -> BasePipeline:
        """Return a new model after a few steps, in evaluation mode."""
        model = self.build()
        for _ in steps(model, one_batch(model), FEW):
            pass
        return model.eval()


def one_batch(model: BasePipeline) -> Batch:
    """Return the first batch of the training data."""
    return cast("Batch", next(iter(model.train_dataloader())))


def optimizer_of(model: BasePipeline) -> Optimizer:
    """Return the optimizer that a trainer would step.

    Raises
    ------
    TypeError
        If `configure_optimizers` gives neither an optimizer nor a dict with one.
    """
    configured = model.configure_optimizers()
    optimizer = configured["optimizer"] if isinstance(configured, dict) else configured
    if not isinstance(optimizer, Optimizer):
        raise TypeError(
            f"configure_optimizers gave {type(optimizer).__name__}, must be an optimizer or a dict "
            "with one: put several into an OptimizerGroup"
        )
    return optimizer


def steps(model: BasePipeline, batch: Batch, count: int) -> Iterator[int]:
    """Train on one batch, and yield the number of each step once it is done."""
    optimizer = optimizer_of(model)
    for number in range(count):
        model.train()
        optimizer.zero_grad()
        torch.autograd.backward(model.calculate_loss(batch))
        optimizer.step()
        yield number


def pair_scores(model: BasePipeline) -> Tensor:
    """Return what `forward` gives for every pair: (U, N)."""
    users = EVERY_USER.repeat_interleave(NUM_ITEMS).to(model.device)
    with scoring(model):
        scores: Tensor = model(users, EVERY_ITEM.repeat(NUM_USERS).to(model.device))
    return scores.reshape(NUM_USERS, NUM_ITEMS)


def same(one: Tensor, other: Tensor) -> bool:
    """Return whether both are equal to the bit, NaN to NaN."""
    return one.shape == other.shape and torch.allclose(one, other, rtol=0, atol=0, equal_nan=True)
