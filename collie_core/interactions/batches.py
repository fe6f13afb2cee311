"""Which rows make a batch, and the key from which everything random in it is drawn."""

import sys
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import chain, cycle, islice
from typing import Any, NamedTuple

import numpy as np
from numpy.random.bit_generator import ISeedSequence
from numpy.typing import NDArray

from collie_core.interactions.ids import at_least

BUFFER_ROWS = 1 << 20
BUFFER_BLOCKS = 64  # of 16 k rows each: large enough to read fast, many enough to mix a sorted file
DRAWING, MIXING = range(2)  # what the generators of an epoch are for


class BatchKey(NamedTuple):
    """What names a batch: the same key gives the same draws, in whichever process."""

    seed: int
    epoch: int
    number: int

    def generator(self) -> np.random.Generator:
        """Return a generator of its own for the batch."""
        words = *_words(self.seed, self.epoch), self.number
        seed = _Words(np.array(words, dtype=np.uint64))
        return np.random.Generator(np.random.SFC64(seed))  # type: ignore[arg-type]  # too narrow


class _Words(ISeedSequence):
    """Words that seed a generator as they are, which takes a quarter of the time of hashing them.

    SFC64 mixes its three words before the first draw, so that those of near-by numbers will do.
    """

    def __init__(self, words: NDArray[np.uint64]) -> None:
        self._given = words

    def generate_state(self, n_words: int, dtype: Any = np.uint64) -> NDArray[np.uint64]:  # noqa: ARG002
        """Return the words."""
        return self._given


@lru_cache(maxsize=64)
def _words(seed: int, epoch: int) -> tuple[int, int]:
    """Return the words that the batches of an epoch share."""
    words = np.random.SeedSequence(seed, spawn_key=(epoch, DRAWING)).generate_state(2, np.uint64)
    return int(words[0]), int(words[1])


class BufferedRows(NamedTuple):
    """Some rows of a buffer.

    Parameters
    ----------
    pieces : the (start, size) of those that fill it.
    path : of numbers, below the seed, by whose `generator` its rows are mixed.
    start, stop : places in it, once mixed.
    """

    pieces: tuple[tuple[int, int], ...]
    path: tuple[int, ...]
    start: int
    stop: int


class Batch(NamedTuple):
    """Rows, as numbers, as (start, size) or as those of a buffer, and the key to draw with."""

    rows: NDArray[np.int64] | tuple[int, int] | BufferedRows
    key: BatchKey


def generator(seed: int, *path: int) -> np.random.Generator:
    """Return a generator of its own for each `path` of numbers below `seed`."""
    return np.random.Generator(np.random.SFC64(np.random.SeedSequence(seed, spawn_key=path)))


def processes() -> tuple[int, int]:
    """Return the number of this process, and of all those that train one model together."""
    distributed = sys.modules.get("torch.distributed")  # whoever set it up has loaded it
    if distributed is None or not distributed.is_available() or not distributed.is_initialized():
        return 0, 1
    return distributed.get_rank(), distributed.get_world_size()


class BatchSampler:
    """Yields the batches of an epoch, each as row numbers; another order in each if shuffled.

    Where several processes train one model (`torch.distributed`), each gets its share of the
    batches, and all get as many.

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
        return -(-self._num_batches // processes()[1])

    @property
    def _num_batches(self) -> int:
        whole, rest = divmod(self.num_rows, self.batch_size)
        return whole + bool(rest and not self.drop_last)

    def __iter__(self) -> Iterator[Batch]:
        # A generator, so that the epoch counts from the first batch on: a DataLoader with workers
        # calls iter() twice an epoch and throws the first iterator away.
        epoch, self.epoch = self.epoch, self.epoch + 1
        rank, count = processes()
        for place, (number, rows) in enumerate(self._padded(epoch, -self._num_batches % count)):
            if place % count == rank:
                yield Batch(rows, BatchKey(self.seed, epoch, number))

    def _padded(self, epoch: int, padding: int) -> Iterator[tuple[int, Any]]:
        """Yield numbered batches, and the first again so that all processes have as many."""
        numbered = enumerate(self._rows(epoch))
        first = list(islice(numbered, padding))
        return chain(first, numbered, islice(cycle(first), padding))

    def _rows(self, epoch: int) -> Iterable[Any]:
        order = self._order(self.num_rows, epoch)
        for number in range(self._num_batches):
            yield order[number * self.batch_size : (number + 1) * self.batch_size]

    def _order(self, length: int, epoch: int) -> NDArray[np.int64]:
        if self.shuffle:
            return generator(self.seed, epoch).permutation(length)
        return np.arange(length)


class UserSampler(BatchSampler):
    """Yields the batches of an epoch as all rows of `batch_size` users, in another order in each.

    Parameters
    ----------
    users : (rows,) the user of each row.
    batch_size : users of a batch; the last may have fewer.
    shuffle, seed, drop_last : see `BatchSampler`; it is users that are permuted.
    """

    def __init__(
        self,
        users: NDArray[np.integer],
        batch_size: int,
        shuffle: bool,
        seed: int,
        drop_last: bool = False,
    ) -> None:
        self._by_user = np.argsort(users, kind="stable")
        counts = np.bincount(users)
        self._sizes = counts[counts > 0]
        self._ends = np.cumsum(self._sizes)
        super().__init__(self._sizes.size, batch_size, shuffle, seed, drop_last)

    def _rows(self, epoch: int) -> Iterable[NDArray[np.int64]]:
        for users in super()._rows(epoch):
            sizes = self._sizes[users]
            gaps = self._ends[users] - np.cumsum(sizes)  # from a place in the batch to one in all
            yield self._by_user[np.arange(sizes.sum()) + np.repeat(gaps, sizes)]


class HDF5Sampler(BatchSampler):
    """Yields the batches of an epoch as (start, size), fit for reading from disk in one piece."""

    def _rows(self, epoch: int) -> Iterable[tuple[int, int]]:
        for number in self._order(self._num_batches, epoch).tolist():
            start = number * self.batch_size
            yield start, min(self.batch_size, self.num_rows - start)


class BlockSampler(BatchSampler):
    """Yields the batches of an epoch as rows of a buffer, filled from blocks all over the file.

    Each epoch permutes the blocks, fills one buffer after the other with them, and permutes the
    rows of each. A block is a multiple of `batch_size`, and the short one at the end of the file
    lies in the last buffer, so that only the last batch can be short.

    Parameters
    ----------
    num_rows, batch_size, seed, drop_last : see `BatchSampler`.
    buffer_rows : how many rows are mixed at a time, at most; one batch at least.

    Raises
    ------
    ValueError
        If `batch_size` or `buffer_rows` is below 1.
    """

    def __init__(
        self,
        num_rows: int,
        batch_size: int,
        seed: int,
        drop_last: bool = False,
        buffer_rows: int = BUFFER_ROWS,
    ) -> None:
        super().__init__(num_rows, batch_size, True, seed, drop_last)
        rows = max(at_least("shuffle_buffer_rows", buffer_rows, 1), self.batch_size)
        self.block_rows = self.batch_size * max(1, rows // BUFFER_BLOCKS // self.batch_size)
        self.buffer_blocks = rows // self.block_rows

    def _rows(self, epoch: int) -> Iterable[BufferedRows]:
        rng = generator(self.seed, epoch)
        for number, blocks in enumerate(self._buffers(rng)):
            pieces, path = self._pieces(blocks), (self.seed, epoch, MIXING, number)
            size = sum(size for _, size in pieces)
            end = size - size % self.batch_size if self.drop_last else size
            for start in range(0, end, self.batch_size):
                yield BufferedRows(pieces, path, start, min(start + self.batch_size, size))

    def _buffers(self, rng: np.random.Generator) -> list[NDArray[np.int64]]:
        """Return the blocks of each buffer, about as many in each, so that all of them mix."""
        whole, rest = divmod(self.num_rows, self.block_rows)
        order = rng.permutation(whole)
        if rest:
            order = np.append(order, whole)
        return np.array_split(order, max(1, -(-len(order) // self.buffer_blocks)))

    def _pieces(self, blocks: NDArray[np.int64]) -> tuple[tuple[int, int], ...]:
        starts = (np.sort(blocks) * self.block_rows).tolist()  # in order, for the disk
        return tuple((start, min(self.block_rows, self.num_rows - start)) for start in starts)
