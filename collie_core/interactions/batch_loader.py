"""A torch `DataLoader` over whole batches, and the keywords it shares with its data set."""

from collections.abc import Iterator, Mapping
from inspect import signature
from typing import Any

import torch
from torch.utils.data import DataLoader

from collie_core.interactions.batches import BatchSampler

OURS = {"dataset", "batch_size", "shuffle", "sampler", "batch_sampler"}


class BatchLoader(DataLoader[Any]):
    """A `DataLoader` that asks its data set for whole batches, one call each.

    The sampler names each batch by seed, epoch and number, and the data set draws from that name
    alone: the same seed gives the same batches for any number of workers.
    """

    def __init__(
        self, dataset: Any, sampler: BatchSampler, num_workers: int, torch_keywords: dict[str, Any]
    ) -> None:
        keywords = {"collate_fn": as_tensors} | torch_keywords
        super().__init__(
            dataset, batch_size=None, sampler=sampler, num_workers=num_workers, **keywords
        )

    interactions: Any

    def __iter__(self) -> Iterator[Any]:  # type: ignore[override]
        """Yield the batches of an epoch; in this process without torch's iterator.

        That takes as long for a batch of 1,024 rows as reading and shuffling them from a file.
        """
        if self.num_workers or self.pin_memory:
            return super().__iter__()
        # As torch's do, so that what is drawn after, such as dropout, is the same with workers.
        torch.empty((), dtype=torch.int64).random_(generator=self.generator)
        return map(self._load, self.sampler)

    def _load(self, batch: Any) -> Any:
        return self.collate_fn(self.dataset[batch])

    @property
    def mat(self) -> Any:
        """Sparse COO matrix of the interactions, (U, N); not available for data on disk."""
        return self.interactions.mat

    @property
    def num_interactions(self) -> int:
        """Number of interactions."""
        return int(self.interactions.num_interactions)

    @property
    def num_items(self) -> int:
        """Number of items, N."""
        return int(self.interactions.num_items)

    @property
    def num_negative_samples(self) -> int:
        """Number of negative samples of each interaction, K."""
        return int(self.interactions.num_negative_samples)

    @property
    def num_users(self) -> int:
        """Number of users, U."""
        return int(self.interactions.num_users)


def as_tensors(batch: Any) -> Any:
    """Return nested tuples of arrays as nested lists of tensors over the same memory."""
    if isinstance(batch, tuple):
        return [as_tensors(part) for part in batch]
    return torch.from_numpy(batch)


def split_keywords(
    made: type, keywords: Mapping[str, Any], is_given: bool
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the keywords of what is `made` here, and those of torch's `DataLoader`."""
    of_made = signature(made).parameters.keys()
    of_torch = signature(DataLoader).parameters.keys() - OURS
    known = of_torch if is_given else of_torch | of_made
    if unknown := sorted(keywords.keys() - known):
        reason = f"the {made.__name__} given has its own" if of_made & set(unknown) else "unknown"
        raise TypeError(f"keywords {unknown} cannot be used ({reason}): use {sorted(known)}")
    own = {name: value for name, value in keywords.items() if name in of_made}
    return own, {name: value for name, value in keywords.items() if name not in of_made}
