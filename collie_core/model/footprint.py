"""The memory that training a model needs, found out before there is any of it."""

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import torch
from torch.optim import Optimizer
from torch.utils._pytree import tree_leaves

from collie_core.interactions import ExplicitInteractions, Interactions
from collie_core.interactions.ids import at_least
from collie_core.model.base import BasePipeline
from collie_core.model.blocks import restored
from collie_core.model.hybrid_pretrained import HybridPretrainedModel
from collie_core.model.learning import Batch
from collie_core.model.living import Living, size_bytes
from collie_core.model.loading import AnyInteractions
from collie_core.model.matrix_factorization import MatrixFactorizationModel
from collie_core.model.optimizers import FusedAdam, OptimizerGroup, configured
from collie_core.model.rowwise import RowwiseAdagrad

# What a constructor takes as data, and what has to be known of it here.
COUNTED = {
    "item_buckets": "num_item_buckets",
    "item_metadata": "item_metadata_num_cols",
    "user_metadata": "user_metadata_num_cols",
}
STEPS = 2  # the first makes the optimizer's state, the second has it from its start


@dataclass(frozen=True)
class Footprint:
    """Bytes that training needs at the same time.

    Parameters
    ----------
    model : parameters and buffers.
    gradients : of the parameters that are trained; sparse ones are among `batch`.
    optimizer : its state: Adam keeps two arrays for each parameter, Adagrad one, SGD none.
    batch : what comes and goes: a batch, the outputs of layers, and an optimizer's scratch.
    """

    model: int
    gradients: int
    optimizer: int
    batch: int

    @property
    def total(self) -> int:
        """All of it together."""
        return self.model + self.gradients + self.optimizer + self.batch


def footprint(
    architecture: type[BasePipeline],
    num_users: int,
    num_items: int,
    *,
    batch_size: int = 1024,
    num_negative_samples: int | None = 10,
    device: str = "cpu",
    stage: str | None = None,
    **arguments: Any,
) -> Footprint:
    """Return what training needs, from two steps of it on arrays that have a shape and no content.

    Parameters
    ----------
    architecture : class of the model, such as those of `ARCHITECTURES`.
    num_users, num_items : U and N.
    batch_size : B; of users, one row each, where the loss is over all items.
    num_negative_samples : K; None stands for ratings.
    device : "cuda" makes optimizers take all parameters at once, which is faster and larger.
    stage : of a model that has stages; None takes the one that needs most.
    **arguments : those of the constructor, but for data: `num_item_buckets` stands for
        `item_buckets`, `item_metadata_num_cols` and `user_metadata_num_cols` for the features, and
        `trained_model` is left out, as are `metadata_for_loss` (8 bytes an item) and its weights.

    Raises
    ------
    TypeError
        If an argument is data, or none of the constructor's.
    ValueError
        If the constructor refuses an argument, or there is no such stage.
    """
    for name, least in (("num_users", num_users), ("num_items", num_items)):
        at_least(name, least, 1)
    with torch.random.fork_rng(devices=[]):  # first weights are drawn, and are not to be noticed
        model = _small(architecture, arguments, num_negative_samples)
    own = {**model.config(), "num_users": num_users, "num_items": num_items}
    with torch.device("meta"), restored():
        model._build(model.options, own)
        batch = _batch(at_least("batch_size", batch_size, 1), num_negative_samples)
    model.to("meta")  # which its layers are, and what it makes itself has to be
    stages = [stage] if stage else model.hparams.get("stage_list", [None])
    each = [_of_stage(model, name, batch, device) for name in stages]
    return max(each, key=lambda found: found.total)


def _small(
    architecture: type[BasePipeline], arguments: Mapping[str, Any], negatives: int | None
) -> BasePipeline:
    """Return a real model of two users and few items, with all that does not depend on counts."""
    if data := sorted({*COUNTED, "trained_model"} & arguments.keys()):
        known = sorted(COUNTED.values())
        raise TypeError(f"{data} are data, must be described by their size: use {known}")
    counts = set(COUNTED.values())
    given = {name: value for name, value in arguments.items() if name not in counts}
    num_items = max(2, arguments.get("num_item_buckets") or 0)
    rows = {"item_metadata": num_items, "user_metadata": 2}
    if buckets := arguments.get("num_item_buckets"):
        given["item_buckets"] = np.arange(num_items).clip(max=buckets - 1)
    for name, count in rows.items():
        if columns := arguments.get(COUNTED[name]):
            given[name] = np.zeros((count, columns))
    train = _one_row(num_items, negatives)
    if issubclass(architecture, HybridPretrainedModel):
        size = {"embedding_dim": given.pop("embedding_dim")} if "embedding_dim" in given else {}
        given["trained_model"] = MatrixFactorizationModel(train=_one_row(num_items), **size)
    return architecture(train=train, **given)


def _one_row(num_items: int, negatives: int | None = 1) -> AnyInteractions:
    where: dict[str, Any] = {"users": [0], "items": [0], "num_users": 2, "num_items": num_items}
    if negatives is None:
        return ExplicitInteractions(**where, ratings=[1.0], allow_missing_ids=True)
    return Interactions(
        **where,
        num_negative_samples=negatives,
        allow_missing_ids=True,
        check_num_negative_samples_is_valid=False,
    )


def _batch(batch_size: int, num_negative_samples: int | None) -> Batch:
    users, items = (torch.zeros(batch_size, dtype=torch.int64) for _ in range(2))
    if num_negative_samples is None:
        return users, items, torch.zeros(batch_size)
    return (users, items), torch.zeros(batch_size, num_negative_samples, dtype=torch.int64)


def _of_stage(model: BasePipeline, stage: str | None, batch: Batch, device: str) -> Footprint:
    if stage is not None:
        cast("Any", model).set_stage(stage)
    model.zero_grad(set_to_none=True)
    optimizer, _ = configured(model.configure_optimizers())
    for group in optimizer.param_groups:
        if "foreach" in group:
            group["foreach"] = device == "cuda"
    held = [*model.parameters(), *model.buffers()]
    living = Living([*held, *tree_leaves((batch, _states(optimizer)))])  # Adagrad has its already
    with living:
        for _ in range(STEPS):
            _step(model, optimizer, batch, living)
    gradients, states = [each.grad for each in model.parameters()], tree_leaves(_states(optimizer))
    kept = size_bytes(held), size_bytes(gradients), size_bytes(states)
    return Footprint(*kept, batch=max(0, living.peak - sum(kept)))


def _step(model: BasePipeline, optimizer: Optimizer, batch: Batch, living: Living) -> None:
    optimizer.zero_grad(set_to_none=True)
    torch.autograd.backward(model.calculate_loss(batch))
    is_sparse = any(each.grad is not None and each.grad.is_sparse for each in model.parameters())
    for one in _several(optimizer):
        # which have their state already, and whose sparse step reads what is in the arrays
        if not (is_sparse and isinstance(one, (torch.optim.Adagrad, RowwiseAdagrad))):
            with living.in_one_pass() if isinstance(one, FusedAdam) else nullcontext():
                one.step()


def _several(optimizer: Optimizer) -> Sequence[Optimizer]:
    return optimizer.optimizers if isinstance(optimizer, OptimizerGroup) else [optimizer]


def _states(optimizer: Optimizer) -> list[Any]:
    return [list(each.state.values()) for each in _several(optimizer)]
