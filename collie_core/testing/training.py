"""Checks of how a model trains."""

import torch
from torch import Tensor

from collie_core.model import BasePipeline, CollieMinimalTrainer, MultiStagePipeline
from collie_core.model.learning import Batch
from collie_core.testing.subject import (
    FEW,
    MANY,
    Subject,
    Violations,
    one_batch,
    optimizer_of,
    pair_scores,
    same,
    steps,
)


def gradients(subject: Subject) -> Violations:
    """Yield if a parameter that is stepped has no part in the loss."""
    model = subject.build().train()
    stepped = {id(each) for group in optimizer_of(model).param_groups for each in group["params"]}
    torch.autograd.backward(model.calculate_loss(one_batch(model)))
    if left_out := [
        name
        for name, each in model.named_parameters()
        if id(each) in stepped and each.requires_grad and each.grad is None
    ]:
        yield (
            f"the loss has no gradient for {left_out}, which the optimizer steps: use them in "
            "forward without detach(), or leave them out"
        )


def learning(subject: Subject) -> Violations:
    """Yield if training on one batch does not lower its loss."""
    yield from _learned(subject.build())


def ratings(subject: Subject) -> Violations:
    """Yield if a model that takes a `loss` does not learn from ratings."""
    is_open = subject.takes("loss") and "loss" not in subject.arguments
    if is_open and not any(learning(subject)):  # else that check has the reason
        yield from _learned(subject.build(loss="mse"))


def _learned(model: BasePipeline) -> Violations:
    batch = one_batch(model)
    before = _loss(model, batch)
    if before.shape != () or not before.isfinite():
        if pair_scores(model).isfinite().all():  # else "finite" has the reason
            yield f"calculate_loss gave {before.tolist()}, must be one finite number: reduce it"
        return
    if not any(_loss(model, batch) < before for _ in steps(model, batch, MANY)):
        yield (
            f"the loss of a batch was {before.item():.6g}, and after {MANY} steps on it "
            f"{_loss(model, batch).item():.6g}, must fall: look at the signs in forward and "
            "calculate_loss, or lower lr"
        )


@torch.no_grad()
def _loss(model: BasePipeline, batch: Batch) -> Tensor:
    return model.eval().calculate_loss(batch)


def seeds(subject: Subject) -> Violations:
    """Yield if the same seed of torch's makes or trains another model."""
    for epochs, done in ((0, "making"), (2, "training")):
        one, other = (_weights(subject, epochs) for _ in range(2))
        if differing := [name for name in one if not same(one[name], other[name])]:
            yield (
                f"{done} the model twice after torch.manual_seed(0) gave other {differing}, must "
                "give the same: draw from torch's generator alone"
            )
            return


def _weights(subject: Subject, epochs: int) -> dict[str, Tensor]:
    model = subject.build()
    CollieMinimalTrainer(model, max_epochs=epochs, gpus=0, verbosity=0).fit(model)
    return model.state_dict()


def stages(subject: Subject) -> Violations:
    """Yield if training in a stage moves anything but what the stage names."""
    model = subject.build()
    if not isinstance(model, MultiStagePipeline):
        return
    before = {name: each.detach().clone() for name, each in model.named_parameters()}
    for _ in steps(model, one_batch(model), FEW):
        pass
    moved = [name for name, each in model.named_parameters() if not same(before[name], each)]
    configs = [each for each in model._optimizer_configs if each["stage"] == subject.stage]
    prefixes = tuple(prefix for each in configs for prefix in each["parameter_prefix_list"])
    if strange := [name for name in moved if not name.startswith(prefixes)]:
        yield (
            f"training moved {strange}, must leave what parameter_prefix_list {list(prefixes)} "
            "does not name: step the optimizers of the stage alone"
        )
