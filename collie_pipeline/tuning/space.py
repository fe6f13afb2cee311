"""What is searched: of each setting of a model the values that are tried."""

from collections.abc import Mapping
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

from collie_core.loss import resolve_loss
from collie_core.tables import lookup
from collie_pipeline.sections import Section
from collie_pipeline.training_settings import AllItemsLoss, ExplicitLoss, Training
from collie_pipeline.tuning.dimensions import Between, Dimension, OneOf, OrZero, Whole

RATE = Between(1e-4, 1e-1, log=True)
DROPPED = Between(0.0, 0.5)
DIMS = OneOf((16, 32, 64, 128, 256))
# Settings whose type lists their values, such as `loss`, need no line here.
DIMENSIONS: Mapping[str, Dimension] = {
    "lr": RATE,
    "item_buckets_stage_lr": RATE,
    "no_buckets_stage_lr": RATE,
    "metadata_only_stage_lr": RATE,
    "all_stage_lr": RATE,
    "lr_decay": OneOf((0.9, 0.95, 0.97, 0.99, 1.0)),
    "weight_decay": OrZero(1e-7, 1e-1),
    "dropout_p": DROPPED,
    "embedding_dropout_p": DROPPED,
    "dense_dropout_p": DROPPED,
    "embedding_dim": DIMS,
    "user_embedding_dim": DIMS,
    "item_embedding_dim": DIMS,
    "num_layers": OneOf((1, 2, 3)),
    "metadata_layers_dims": OneOf(((8,), (16,), (32,))),
    "combined_layers_dims": OneOf(((32,), (64, 32), (128, 64))),
    "num_negative_samples": OneOf((5, 10, 20, 40)),
    "batch_size": OneOf((256, 512, 1024, 2048, 4096)),
    "batch_users": OneOf((16, 32, 64, 128, 256)),
    "l2": OrZero(0.005, 5),
    "neighbours": Whole(10, 1000),
    "shrinkage": OrZero(0.1, 1000),
    "regularization": Between(1.0, 10_000.0, log=True),
}
KEPT: Mapping[str, str] = {  # settings that stay as they are, and why
    "epochs": "validation chooses how many there are",
    "patience": "more of it is never worse, only slower",
    "partial_credit": "what it is for, alike items, is not what MAP measures",
    "user_dense_layers_dims": "has to end as item_dense_layers_dims does",
    "item_dense_layers_dims": "has to end as user_dense_layers_dims does",
}
SEVERAL = 2  # negative items, for which some losses have two names


def space_of(own: Section) -> dict[str, Dimension]:
    """Return what is tried of each setting of a model, in their order.

    Parameters
    ----------
    own : the present settings; their values are tried, too.

    Raises
    ------
    ValueError
        If nobody said what to try of a setting, nor that it stays.
    """
    idle = _always_idle(own)
    return {
        name: _dimension(own, name).including(getattr(own, name))
        for name in type(own).model_fields
        if name not in KEPT and name not in idle
    }


def idle(own: Section) -> set[str]:
    """Return the settings that have no effect beside the others: a loss batches in one way."""
    if not isinstance(own, Training):
        return set()
    if own.is_of_all_items:
        return {"batch_size", "num_negative_samples"}
    return {"batch_users", "num_negative_samples"} if own.is_explicit else {"batch_users"}


def _always_idle(own: Section) -> set[str]:
    """Return the settings that have no effect with any of the losses that are tried."""
    if not isinstance(own, Training):
        return set()
    return set.intersection(*(idle(own.model_copy(update={"loss": each})) for each in _losses(own)))


def _dimension(own: Section, name: str) -> Dimension:
    if name == "loss" and isinstance(own, Training):
        return OneOf(_losses(own))
    if listed := _listed(type(own).model_fields[name].annotation):
        return OneOf(listed)
    return lookup("setting to search", DIMENSIONS, name)


def _listed(annotation: Any) -> tuple[Any, ...]:
    """Return the values that a type lists, if it lists them all."""
    if annotation is bool:
        return (False, True)
    if annotation is type(None):
        return (None,)
    if get_origin(annotation) is Literal:
        return get_args(annotation)
    if get_origin(annotation) in (Union, UnionType):
        parts = [_listed(part) for part in get_args(annotation)]
        return tuple(value for part in parts for value in part) if all(parts) else ()
    return ()


def _losses(own: Training) -> tuple[str, ...]:
    """Return the losses for the same kind of data, each by one of its names: the present one."""
    known = _listed(type(own).model_fields["loss"].annotation)
    if own.is_explicit:
        return tuple(name for name in known if name in get_args(ExplicitLoss))
    others = get_args(ExplicitLoss) + (get_args(AllItemsLoss) if own.partial_credit else ())
    implicit = [name for name in known if name not in others]
    named = {resolve_loss(name, SEVERAL): name for name in (*implicit, own.loss)}
    return tuple(named.values())
