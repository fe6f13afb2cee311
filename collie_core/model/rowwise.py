"""An optimizer for tables of embeddings of which a batch touches few rows."""

from collections.abc import Callable
from typing import Any, cast

import torch
from torch import Tensor
from torch.optim import Optimizer


def computed(closure: Callable[[], float] | None) -> float | None:
    """Return the loss of an optimizer's `closure`, which computes gradients, if there is one."""
    if closure is None:
        return None
    with torch.enable_grad():
        return closure()


class RowwiseAdagrad(Optimizer):
    """Adagrad with one rate a row, for sparse gradients as well as dense ones.

    With the gradient g of a row, G += mean(g²) and the row changes by -lr · g / (√G + ε): Adagrad
    (Duchi et al., JMLR 2011) with the mean over the row in place of each entry, as Gupta et al.
    have it (JMLR 2014). A row without a gradient costs nothing, and the state is a number a row,
    where Adam goes through two tables as large as the embeddings for every batch.

    Parameters
    ----------
    params : parameters, or groups of them.
    lr : > 0; a row begins at about that step, whatever the size of its gradients.
    eps : ε, which keeps a row from a division by zero.

    Raises
    ------
    ValueError
        If `lr` or `eps` is not positive.
    """

    def __init__(self, params: Any, lr: float = 1e-2, eps: float = 1e-10) -> None:
        for name, value in (("lr", lr), ("eps", eps)):
            if not value > 0:
                raise ValueError(f"{name} is {value}, must be > 0")
        super().__init__(params, {"lr": lr, "eps": eps})

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Take in parameters, and begin the sums of their rows."""
        super().add_param_group(param_group)
        for each in self.param_groups[-1]["params"]:
            self.state[each]["sum"] = each.new_zeros(len(_rows(each)))

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]
        """Change every row that has a gradient, after `closure`, if given, has computed them."""
        loss = computed(closure)
        for group in self.param_groups:
            for each in group["params"]:
                if each.grad is not None:
                    self._change(each, group["lr"], group["eps"])
        return loss

    def _change(self, parameter: Tensor, lr: float, eps: float) -> None:
        gradient, sums = cast("Tensor", parameter.grad), self.state[parameter]["sum"]
        if not gradient.is_sparse:
            changes = _rows(gradient)
            sums += changes.square().mean(dim=1)
            _rows(parameter).sub_(changes * (lr / (sums.sqrt() + eps))[:, None])
            return
        rows, places = torch.unique(gradient._indices()[0], return_inverse=True)
        values = _rows(gradient._values())
        changes = values.new_zeros(len(rows), values.shape[1]).index_add_(0, places, values)
        touched = sums[rows] + changes.square().mean(dim=1)
        sums[rows] = touched
        changes *= (lr / (touched.sqrt() + eps))[:, None]
        _rows(parameter).index_add_(0, rows, changes, alpha=-1)


def _rows(tensor: Tensor) -> Tensor:
    """Return `tensor` as rows (R, D) over the same memory; what has no rows is a single one."""
    return tensor.view(len(tensor) if tensor.ndim else 1, -1)
