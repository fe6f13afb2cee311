"""Loaders of batches: exact, approximate, and from disk."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from collie_core.interactions.base import BaseInteractions
from collie_core.interactions.batch_loader import BatchLoader, split_keywords
from collie_core.interactions.batches import (
    BUFFER_ROWS,
    BatchSampler,
    BlockSampler,
    HDF5Sampler,
    UserSampler,
)
from collie_core.interactions.hdf5 import HDF5Interactions
from collie_core.interactions.ids import at_least
from collie_core.interactions.implicit import Interactions


class InteractionsDataLoader(BatchLoader):
    """Batches of interactions in memory, by default with exact negative samples.

    Parameters
    ----------
    interactions : if None, `Interactions` are made of `mat`, or of `users`, `items`, `ratings`.
    mat, users, items, ratings : see `BaseInteractions`.
    batch_size : rows of a batch; the last may be shorter unless `drop_last` is True.
    shuffle : whether rows come in another order in each epoch.
    num_workers : processes that load; 0 loads in this one. Batches do not depend on it.
    by_user : whether a batch is all rows of `batch_size` users, which losses over all items are
        fastest with.
    kwargs : parameters of `Interactions`, if these are made here, and of
        `torch.utils.data.DataLoader`.

    Raises
    ------
    TypeError
        If a keyword is neither's, or `interactions` are of another kind.
    ValueError
        If `batch_size` is below 1, or `Interactions` refuse the data.
    """

    def __init__(
        self,
        interactions: BaseInteractions | None = None,
        mat: Any = None,
        users: Any = None,
        items: Any = None,
        ratings: Any = None,
        batch_size: int = 1024,
        shuffle: bool = False,
        num_workers: int = 2,
        *,
        by_user: bool = False,
        **kwargs: Any,
    ) -> None:
        columns = {"mat": mat, "users": users, "items": items, "ratings": ratings}
        data, rest = _interactions(interactions, columns, kwargs)
        drop_last = rest.pop("drop_last", False)
        order = batch_size, shuffle, data.seed, drop_last
        sampler = UserSampler(data.users, *order) if by_user else BatchSampler(len(data), *order)
        super().__init__(data, sampler, num_workers, rest)
        self.interactions = data
        # To torch batch_size is None, as the data set makes the batches; to whoever asks it is the
        # number given. torch forbids to set both after init, as it would not act on the change.
        object.__setattr__(self, "batch_size", sampler.batch_size)
        object.__setattr__(self, "drop_last", drop_last)


class ApproximateNegativeSamplingInteractionsDataLoader(BatchLoader):
    """Batches of interactions in memory whose negatives are drawn from all items.

    A negative may thus be an item the user has interacted with. `batch_size` of this loader is
    None; that of its batches is ``approximate_negative_sampler.batch_size``.

    Parameters
    ----------
    interactions, mat, users, items, ratings, batch_size, shuffle, num_workers, kwargs : see
        `InteractionsDataLoader`. Given interactions keep sampling as they did; only this loader
        draws from all.
    """

    def __init__(
        self,
        interactions: Interactions | None = None,
        mat: Any = None,
        users: Any = None,
        items: Any = None,
        ratings: Any = None,
        batch_size: int = 1024,
        shuffle: bool = False,
        num_workers: int = 2,
        **kwargs: Any,
    ) -> None:
        columns = {"mat": mat, "users": users, "items": items, "ratings": ratings}
        if interactions is None:
            columns["max_number_of_samples_to_consider"] = 0
        data, rest = _interactions(interactions, columns, kwargs)
        if not isinstance(data, Interactions):
            raise TypeError(f"{type(data).__name__} have no negatives: use InteractionsDataLoader")
        drop_last = rest.pop("drop_last", False)
        sampler = BatchSampler(len(data), batch_size, shuffle, data.seed, drop_last)
        super().__init__(data.approximate(), sampler, num_workers, rest)
        self.interactions = data
        self.approximate_negative_sampler = sampler


class HDF5InteractionsDataLoader(BatchLoader):
    """Batches of interactions on disk, whose negatives are drawn from all items.

    `batch_size` of this loader is None; that of its batches is ``hdf5_sampler.batch_size``.

    Parameters
    ----------
    hdf5_interactions : if None, `HDF5Interactions` are made of `hdf5_path`.
    hdf5_path : see `HDF5Interactions`.
    batch_size, num_workers : see `InteractionsDataLoader`.
    shuffle : whether rows come in another order in each epoch, mixed a buffer at a time.
    shuffle_buffer_rows : rows of a buffer, which is filled from blocks all over the file, each read
        in one piece. A file that fits is shuffled as in memory. A buffer takes 8 bytes a row, in
        this process or in each worker (which all read the whole file). With 0 there is none: only
        the order of batches changes, and that of the rows in each.
    kwargs : parameters of `HDF5Interactions`, if these are made here, and of
        `torch.utils.data.DataLoader`.

    Raises
    ------
    TypeError, ValueError, FileNotFoundError
        See `InteractionsDataLoader` and `HDF5Interactions`.
    """

    def __init__(
        self,
        hdf5_interactions: HDF5Interactions | None = None,
        hdf5_path: str | Path | None = None,
        batch_size: int = 1024,
        shuffle: bool = False,
        num_workers: int = 2,
        *,
        shuffle_buffer_rows: int = BUFFER_ROWS,
        **kwargs: Any,
    ) -> None:
        own, rest = split_keywords(HDF5Interactions, kwargs, hdf5_interactions is not None)
        if hdf5_interactions is None:
            if hdf5_path is None:
                raise ValueError("there is no data: pass hdf5_interactions or hdf5_path")
            hdf5_interactions = HDF5Interactions(hdf5_path, **own)
        data = _of_kind(hdf5_interactions, HDF5Interactions, "InteractionsDataLoader")
        drop_last = rest.pop("drop_last", False)
        buffer_rows = at_least("shuffle_buffer_rows", shuffle_buffer_rows, 0)
        sampler: BatchSampler
        if shuffle and buffer_rows:
            sampler = BlockSampler(len(data), batch_size, data.seed, drop_last, buffer_rows)
        else:
            sampler = HDF5Sampler(len(data), batch_size, shuffle, data.seed, drop_last)
        super().__init__(data.shuffled() if shuffle else data, sampler, num_workers, rest)
        self.interactions = data
        self.hdf5_sampler = sampler


def _interactions(
    interactions: Any, columns: Mapping[str, Any], keywords: Mapping[str, Any]
) -> tuple[Any, dict[str, Any]]:
    """Return the interactions, made of `columns` if need be, and the keywords left to torch."""
    own, rest = split_keywords(Interactions, keywords, interactions is not None)
    if interactions is None:
        return Interactions(**{**columns, **own}), rest
    return _of_kind(interactions, BaseInteractions, "HDF5InteractionsDataLoader"), rest


def _of_kind(interactions: Any, kind: type, loader: str) -> Any:
    if not isinstance(interactions, kind):
        raise TypeError(
            f"interactions are {type(interactions).__name__}, must be {kind.__name__}: "
            f"use {loader} for the other kind"
        )
    return interactions
