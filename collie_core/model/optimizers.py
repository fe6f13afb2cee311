"""Optimizers by name, and several of them behind the interface of one."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from inspect import signature
from typing import Any

import torch
from torch import nn
from torch.optim import Optimizer

from collie_core.model.options import OptimizerChoice, TrainingOptions
from collie_core.model.rowwise import RowwiseAdagrad, computed
from collie_core.tables import lookup


class FusedAdam(torch.optim.Adam):
    """Adam in one pass over each parameter: a third of the time of torch's default on a CPU."""

    def __init__(self, params: Any, lr: float = 1e-3, weight_decay: float = 0.0) -> None:
        super().__init__(params, lr=lr, weight_decay=weight_decay, fused=True)
        # else Lightning refuses to clip gradients in mixed precision
        self._step_supports_amp_scaling = False
        for group in self.param_groups:
            group["fused"] = not any(each.is_meta for each in group["params"])  # to be counted only


OPTIMIZERS: Mapping[str, Callable[..., Optimizer]] = {
    "sgd": torch.optim.SGD,
    "adagrad": torch.optim.Adagrad,
    "adam": FusedAdam,
    "rowwise_adagrad": RowwiseAdagrad,
    "sparse_adam": torch.optim.SparseAdam,
}


def check_optimizer(choice: OptimizerChoice, weight_decay: float, *, is_sparse: bool) -> None:
    """Refuse an optimizer that is unknown, or cannot do what is asked of it.

    Raises
    ------
    ValueError
        If there is no such name, it has no weight decay, or embeddings are sparse and it takes
        dense gradients alone, or there is a weight decay, which would make them dense.
    """
    factory = _factory(choice)
    is_dense = factory in (FusedAdam, torch.optim.Adam)
    if is_sparse and (is_dense or weight_decay):
        raise ValueError(
            f"sparse is True, optimizer {choice!r} and weight_decay {weight_decay}: use "
            "'rowwise_adagrad', 'sparse_adam', 'adagrad' or 'sgd' without weight decay, or "
            "sparse=False"
        )
    is_known = isinstance(factory, type)  # what another function does with its groups is its affair
    if weight_decay and is_known and "weight_decay" not in signature(factory).parameters:
        raise ValueError(
            f"weight_decay is {weight_decay}, but {choice!r} has none: set it to 0 or use 'adam'"
        )


def make_optimizer(
    choice: OptimizerChoice, parameters: Iterable[nn.Parameter], lr: float, weight_decay: float
) -> Optimizer:
    """Return the chosen optimizer of one group of parameters, with `lr` and the decay, if any."""
    group = {"params": list(parameters), "lr": lr}
    return _factory(choice)([group | ({"weight_decay": weight_decay} if weight_decay else {})])


def configured(returned: Any) -> tuple[Optimizer, list[Any]]:
    """Return the optimizer, and the schedulers, in what `configure_optimizers` returned.

    Raises
    ------
    ValueError
        If that is neither an optimizer nor several, with or without schedulers.
    """
    optimizers, schedulers = _parts(returned)
    if not optimizers or not all(isinstance(each, Optimizer) for each in optimizers):
        raise ValueError(
            f"configure_optimizers returned {returned!r}, must be an optimizer, or a dict with one "
            "and its lr_scheduler: see BasePipeline"
        )
    one = optimizers[0] if len(optimizers) == 1 else OptimizerGroup(optimizers)
    return one, [each["scheduler"] if isinstance(each, dict) else each for each in schedulers]


def _parts(returned: Any) -> tuple[list[Any], list[Any]]:
    """Return optimizers and schedulers in any of the forms that Lightning documents."""
    if isinstance(returned, dict):
        schedulers = [returned[name] for name in ("lr_scheduler",) if name in returned]
        return [returned.get("optimizer")], schedulers
    if not isinstance(returned, (list, tuple)):
        return [returned], []
    if len(returned) == 2 and all(isinstance(part, (list, tuple)) for part in returned):
        return list(returned[0]), list(returned[1])
    return list(returned), []


def _factory(choice: OptimizerChoice) -> Callable[..., Optimizer]:
    return lookup("optimizer", OPTIMIZERS, choice) if isinstance(choice, str) else choice


class OptimizerGroup(Optimizer):
    """Several optimizers that step together, seen by trainers and schedulers as one.

    Lightning steps several optimizers only under manual optimisation, without clipping,
    accumulation or mixed precision; behind one interface all of these keep working.
    """

    def __init__(self, optimizers: Sequence[Optimizer]) -> None:
        groups = [group for optimizer in optimizers for group in optimizer.param_groups]
        super().__init__([dict(group) for group in groups], {})
        self.optimizers = list(optimizers)
        self.param_groups = groups  # the very same dicts: a scheduler reaches each optimizer

    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]
        """Step every optimizer, after `closure`, if given, has computed the gradients."""
        loss = computed(closure)
        for optimizer in self.optimizers:
            optimizer.step()
        return loss

    def state_dict(self) -> dict[str, Any]:
        """Return the states of all optimizers."""
        return {"optimizers": [optimizer.state_dict() for optimizer in self.optimizers]}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore the states of all optimizers."""
        for optimizer, state in zip(self.optimizers, state_dict["optimizers"], strict=True):
            optimizer.load_state_dict(state)
        self.param_groups = [group for each in self.optimizers for group in each.param_groups]


def optimizer_of(
    options: TrainingOptions, parameters: Iterable[tuple[str, nn.Parameter]]
) -> Optimizer:
    """Return the optimizer of named parameters, with one of its own for biases if options ask."""
    named, decay = list(parameters), options.weight_decay
    if options.bias_optimizer is None:
        return make_optimizer(options.optimizer, [each for _, each in named], options.lr, decay)
    biases = [parameter for name, parameter in named if "bias" in name]
    others = [parameter for name, parameter in named if "bias" not in name]
    infer = options.bias_optimizer == "infer"
    bias_optimizer = options.optimizer if infer else options.bias_optimizer
    bias_lr = options.lr if options.bias_lr == "infer" else float(options.bias_lr)
    return OptimizerGroup(
        [
            make_optimizer(options.optimizer, others, options.lr, decay),
            make_optimizer(bias_optimizer, biases, bias_lr, decay),
        ]
    )
