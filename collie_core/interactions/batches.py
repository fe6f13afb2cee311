"""Which rows make a batch, and the key from which everything random in it is drawn."""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from collie_core.interactions.ids import at_least


class BatchKey(NamedTuple):
    """What names a batch: the same key gives the same draws, in whichever process."""

    seed: int
    epoch: int
    number: int


class Batch(NamedTuple):
    """Rows, as their numbers or as (start, size), and the key to draw with."""

    rows: NDArray[np.int64] | tuple[int, int]
    key: BatchKey


def generator(seed: int, *path: int) -> np.random.Generator:
    """Return a generator of its own for each `path` of numbers below `seed`."""
    return np.random.Generator(np.random.SFC64(np.random.SeedSequence(seed, spawn_key=path)))


class BatchSampler:
    """Yields the batches of an epoch, each as row numbers; another order in each if shuffled.

    Parameters
    ----------
    num_rows : number of rows in the data set.
    batch_size : rows of a batch; the last may be shorter.
    shuffle : whether rows are permuted, by the seed and the epoch alone.
    seed : of the permutation and of the keys.
    drop_last : whether a last, shorter batch is left out.

    Raises
    ------
    ValueError
        If `batch_size` is below 1.
    """

    def __init__(
        self,
        num_rows: int,
        batch_size: int,
        shuffle: bool,
        seed: int,
        drop_last: bool = False,
    ) -> None:
        self.num_rows = num_rows
        self.batch_size = at_least("batch_size", batch_size, 1)
        self.shuffle = shuffle
        self.seed = seed
        self.drop_last = drop_last
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Make the next iteration that of `epoch`; trainers call this when they resume."""
        self.epoch = epoch

    def __len__(self) -> int:
        whole, rest = divmod(self.num_rows, self.batch_size)
        return whole + bool(rest and not self.drop_last)

    def __iter__(self) -> Iterator[Batch]:
        # A generator, so that the epoch counts from the first batch on: a DataLoader with workers
        # calls iter() twice an epoch and throws the first iterator away.
        epoch, self.epoch = self.epoch, self.epoch + 1
        for number, rows in enumerate(self._rows(epoch)):
            yield Batch(rows, BatchKey(self.seed, epoch, number))

    def _rows(self, epoch: int) -> Iterable[Any]:
        order = self._order(self.num_rows, epoch)
        for number in range(len(self)):
            yield order[number * self.batch_size : (number + 1) * self.batch_size]

    def _order(self, length: int, epoch: int) -> NDArray[np.int64]:
        if self.shuffle:
            return generator(self.seed, epoch).permutation(length)
        return np.arange(length)


class HDF5Sampler(BatchSampler):
    """Yields the batches of an epoch as (start, size), fit for reading from disk in one piece."""

    def _rows(self, epoch: int) -> Iterable[tuple[int, int]]:
        for number in self._order(len(self), epoch).tolist():
            start = number * self.batch_size
            yield start, min(self.batch_size, self.num_rows - start)
