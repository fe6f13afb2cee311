"""What a model may be given as data, and the loader made of it."""

from torch.utils.data import DataLoader

from collie_core.interactions import (
    ApproximateNegativeSamplingInteractionsDataLoader,
    BaseInteractions,
    ExplicitInteractions,
    HDF5Interactions,
    HDF5InteractionsDataLoader,
    Interactions,
    InteractionsDataLoader,
)

Loader = (
    InteractionsDataLoader
    | ApproximateNegativeSamplingInteractionsDataLoader
    | HDF5InteractionsDataLoader
)
AnyInteractions = Interactions | ExplicitInteractions | HDF5Interactions | Loader | None


def as_loader(interactions: AnyInteractions, *, shuffle: bool) -> Loader | None:
    """Return a loader of `interactions`; one that is given stays as it is.

    A loader made here runs in this process: a batch is made faster than a worker could send it.
    """
    if interactions is None or isinstance(interactions, DataLoader):
        return interactions
    if isinstance(interactions, BaseInteractions):
        return InteractionsDataLoader(interactions=interactions, shuffle=shuffle, num_workers=0)
    if isinstance(interactions, HDF5Interactions):
        return HDF5InteractionsDataLoader(
            hdf5_interactions=interactions, shuffle=shuffle, num_workers=0
        )
    raise TypeError(
        f"{type(interactions).__name__} is no interactions: pass Interactions, "
        "ExplicitInteractions, HDF5Interactions or one of their loaders"
    )


def negatives_of(loader: Loader) -> int | None:
    """Return the number of negative samples of a batch, K; None where the data are explicit."""
    return getattr(loader, "num_negative_samples", None)


def shape_of(train: Loader, validation: Loader | None) -> tuple[int, int]:
    """Return the number of users and items of `train`, which `validation` must share."""
    shape = train.num_users, train.num_items
    if validation is None:
        return shape
    if (validation.num_users, validation.num_items) != shape:
        raise ValueError(
            f"train has {shape} users and items, val ({validation.num_users}, "
            f"{validation.num_items}): split one Interactions, or set num_users and num_items"
        )
    kinds = [_kind(negatives_of(each)) for each in (train, validation)]
    if kinds[0] != kinds[1]:
        raise ValueError(
            f"train has {kinds[0]}, val {kinds[1]}, and one loss is for both: give both ratings, "
            "or num_negative_samples of 0, of 1, or more"
        )
    return shape


def _kind(negatives: int | None) -> str:
    if negatives is None:
        return "ratings"
    return ("no negatives", "one negative", "many negatives")[min(negatives, 2)]
