"""A model that begins where another one of its kind ended, on other users and items."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from collie_core.bundle import Bundle
from collie_core.model.base import BasePipeline

SIDES = ("user", "item")
COUNTS = {"num_users", "num_items", "num_epochs_completed"}  # what may differ


def warm_start(
    model: BasePipeline, bundle: Bundle, ids: Mapping[str, Sequence[str]], shrink: float = 1.0
) -> int:
    """Return how many rows of embeddings `model` took from `bundle`, by outside id.

    Users and items that the bundle does not know keep the values they began with; layers are taken
    as they are. Rows are taken by "shrink and perturb" (Ash and Adams, NeurIPS 2020):
    shrink * old + (1 - shrink) * fresh, where `fresh` are the values the model began with. A model
    that begins with all of `old` learns fast, but may end worse than one from scratch.

    Parameters
    ----------
    model : new, before it is trained.
    bundle : of a model of the same class and hyperparameters, with its outside ids.
    ids : "user_id" (U,) and "item_id" (N,): the outside ids of the model's users and items.
    shrink : in 0..1, of vectors and biases; 1 takes them as they are.

    Raises
    ------
    ValueError
        If `shrink` is out of its bounds, or the bundle's model has another class or other
        hyperparameters, or no ids.
    """
    if not 0 <= shrink <= 1:
        raise ValueError(f"shrink is {shrink}, must be in 0..1: start from 0.5")
    _refuse_another(model, bundle)
    places = {side: _places(bundle.ids[f"{side}_id"], ids[f"{side}_id"]) for side in SIDES}
    taken = 0
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            old, side = bundle.tensors[name].to(parameter), name.split("_")[0]
            if side in places and len(old) == len(bundle.ids[f"{side}_id"]):
                known = places[side] >= 0
                parameter[known] = parameter[known].lerp(old[places[side][known]], shrink)
                taken += int(known.sum())
            else:
                parameter.copy_(old)
    return taken


def is_alike(model: BasePipeline, bundle: Bundle) -> bool:
    """Return whether `bundle` is of the class and the hyperparameters of `model`."""
    ours, theirs = _kinds(model, bundle)
    return ours == theirs


def _kinds(model: BasePipeline, bundle: Bundle) -> list[tuple[str, dict[str, Any]]]:
    described = (type(model).__name__, model.config()), (bundle.class_name, bundle.config)
    return [(name, {k: v for k, v in each.items() if k not in COUNTS}) for name, each in described]


def _refuse_another(model: BasePipeline, bundle: Bundle) -> None:
    ours, theirs = _kinds(model, bundle)
    if ours != theirs:
        raise ValueError(f"the bundle is of {theirs}, the model {ours}: train from the beginning")
    if not bundle.ids:
        raise ValueError("the bundle has no outside ids, must have them: save it with its ids")


def _places(theirs: Sequence[str], ours: Sequence[str]) -> Tensor:
    """Return the number that each of `ours` has among `theirs`, -1 for none."""
    numbers = {name: number for number, name in enumerate(theirs)}
    return torch.from_numpy(np.array([numbers.get(name, -1) for name in ours], dtype=np.int64))
