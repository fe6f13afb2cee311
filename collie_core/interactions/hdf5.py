"""Interactions on disk: one HDF5 file, a group of columns, read in pieces."""

import os
from copy import copy
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import h5py
import numpy as np

from collie_core.interactions.batches import Batch, BufferedRows, generator
from collie_core.interactions.hdf5_file import (
    columns_of,
    count_of,
    known_counts,
    named_errors,
    open_file,
    opened,
)
from collie_core.interactions.ids import Count, Ids, at_least, checked_seed
from collie_core.interactions.implicit import Interactions, ManyImplicit
from collie_core.interactions.negative_sampling import UniformSampler

if TYPE_CHECKING:
    import pandas as pd


class HDF5Interactions:
    """Implicit interactions in an HDF5 file, for data that do not fit in memory.

    ``interactions[(start, size)]`` gives ((users (B,), items (B,)), negatives (B, K)) of the rows
    from `start` on; negatives are approximate: drawn from all items. The file is opened when it is
    first read, once in each process.

    Parameters
    ----------
    hdf5_path : a file that `pandas_df_to_hdf5` wrote, or pandas with ``format="table"``.
    user_col, item_col : names of the columns of ids, from 0 on.
    num_negative_samples : K; 0 draws none, for a loss over all items.
    num_users, num_items : counts; "infer" takes the file's own, or reads the ids once to find out.
    seed : of negatives and of shuffling; None draws one from the system's entropy.
    shuffle : whether the rows of one piece come in random order.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is not HDF5, cut short, without such columns, with columns of unequal lengths, or has
        ids that are negative or beyond the counts; the message names the file.
    """

    def __init__(
        self,
        hdf5_path: str | Path,
        user_col: str = "user_id",
        item_col: str = "item_id",
        num_negative_samples: int = 10,
        num_users: Count = "infer",
        num_items: Count = "infer",
        seed: int | None = None,
        shuffle: bool = False,
    ) -> None:
        self.hdf5_path = Path(hdf5_path).absolute()
        self.user_col, self.item_col = user_col, item_col
        self.num_negative_samples = at_least("num_negative_samples", num_negative_samples, 0)
        self.seed, self.shuffle = checked_seed(seed), shuffle
        self._opened: _Opened | None = None
        self._buffer: _Buffer | None = None
        self._rng = generator(self.seed)
        with opened(self.hdf5_path) as file:
            group = columns_of(file, (user_col, item_col))
            self.num_interactions = len(group[user_col])
            self.num_users = count_of(group, "num_users", user_col, num_users)
            self.num_items = count_of(group, "num_items", item_col, num_items)
        self.negative_sampler = UniformSampler(self.num_items)

    @property
    def mat(self) -> Any:
        """Raise an AttributeError: the matrix of data on disk is not built."""
        raise AttributeError(f"{self.hdf5_path} may not fit in memory: use read_hdf5 if it does")

    def __len__(self) -> int:
        return self.num_interactions

    def __getitem__(self, start_idx_and_batch_size: int | tuple[int, int] | Batch) -> ManyImplicit:
        rows: Any = start_idx_and_batch_size
        rng = self._rng
        if isinstance(rows, Batch):
            rows, rng = rows.rows, rows.key.generator()
        users, items = self._pairs(rows, rng)
        return (users, items), self.negative_sampler.sample(users, self.num_negative_samples, rng)

    def shuffled(self) -> Self:
        """Return a view of the same file whose pieces come in random order."""
        view = copy(self)
        view.shuffle = True
        return view

    def head(self, n: int = 5) -> "pd.DataFrame":
        """Return the first `n` rows of all columns; all but the last -n if negative."""
        return self._frame(0, len(range(len(self))[:n]))

    def tail(self, n: int = 5) -> "pd.DataFrame":
        """Return the last `n` rows of all columns; all but the first -n if negative."""
        return self._frame(len(range(len(self))[: -n or None]), len(self))

    def __getstate__(self) -> dict[str, Any]:
        # A worker opens the file and fills a buffer for itself.
        return self.__dict__ | {"_opened": None, "_buffer": None}

    def _pairs(self, rows: Any, rng: np.random.Generator) -> tuple[Ids, Ids]:
        if isinstance(rows, BufferedRows):
            pairs = self._filled(rows)[rows.start : rows.stop]
            return pairs[:, 0].copy(), pairs[:, 1].copy()
        if isinstance(rows, (int, np.integer)):
            rows = (rows, 1)
        if not isinstance(rows, tuple) or len(rows) != 2:
            raise TypeError(f"index is {rows!r}, must be (start, size), or the start of one row")
        start, size = at_least("start", rows[0], 0), at_least("size", rows[1], 1)
        if start >= len(self):
            raise IndexError(f"start is {start}, must be below {len(self)}: the file ends there")
        users, items = self._piece(start, size)
        if self.shuffle:
            order = rng.permutation(len(users))
            users, items = users[order], items[order]
        return users, items

    def _filled(self, rows: BufferedRows) -> Ids:
        """Return the users and items (rows of the buffer, 2), read once for all its batches."""
        if self._buffer is None or self._buffer.of != rows[:2]:
            self._buffer = None  # before the next is read, so that memory holds one
            pairs = np.empty((sum(size for _, size in rows.pieces), 2), dtype=np.int32)
            filled = 0
            for start, size in rows.pieces:
                own = pairs[filled : filled + size]
                own[:, 0], own[:, 1] = self._piece(start, size)
                filled += size
            # a pair as one number: to mix these takes half of what it takes to follow an order
            generator(*rows.path).shuffle(pairs.view(np.int64)[:, 0])
            self._buffer = _Buffer(rows[:2], pairs)
        return self._buffer.pairs

    def _piece(self, start: int, size: int) -> tuple[Ids, Ids]:
        users = self._ids(self.user_col, start, size, self.num_users)
        return users, self._ids(self.item_col, start, size, self.num_items)

    def _ids(self, name: str, start: int, size: int, count: int) -> Ids:
        with named_errors(self.hdf5_path):
            values = self._columns()[name][start : start + size]
        low, high = values.min(), values.max()
        if low < 0 or high >= count:
            raise ValueError(
                f"{self.hdf5_path} has {name} {low if low < 0 else high} in rows {start} to "
                f"{start + len(values) - 1}, must be in 0..{count - 1}: map ids to 0..n-1 first"
            )
        return np.asarray(values, dtype=np.int32)

    def _frame(self, start: int, stop: int) -> "pd.DataFrame":
        import pandas as pd  # half of the time to import this package, and only for a look

        with named_errors(self.hdf5_path):
            columns = {name: data[start:stop] for name, data in self._columns().items()}
        return pd.DataFrame(columns, index=range(start, stop))

    def _columns(self) -> dict[str, h5py.Dataset]:
        if self._opened is None or self._opened.process != os.getpid():
            file = open_file(self.hdf5_path)
            columns = dict(columns_of(file, (self.user_col, self.item_col)))
            self._opened = _Opened(os.getpid(), file, columns)
        return self._opened.columns


class _Opened(NamedTuple):
    """A file, held so that it stays open, and its columns, in the process that opened it."""

    process: int
    file: h5py.File
    columns: dict[str, h5py.Dataset]


class _Buffer(NamedTuple):
    """Users and items (rows, 2) of the pieces last asked for, mixed, and what was asked."""

    of: tuple[Any, ...]
    pairs: Ids


def read_hdf5(
    path: str | Path, user_col: str = "user_id", item_col: str = "item_id", **keywords: Any
) -> Interactions:
    """Return the whole file in memory as `Interactions`, which take `keywords`.

    Where the file knows its counts they are used, and ids may be missing: a part of a split has
    holes.

    Raises
    ------
    FileNotFoundError, ValueError
        See `HDF5Interactions`; what `Interactions` refuses is raised with the file's name.
    """
    with opened(path) as file:
        group = columns_of(file, (user_col, item_col))
        counts = known_counts(group)
        users, items = group[user_col][:], group[item_col][:]
        ratings = group["rating"][:] if "rating" in group else None
        keywords = {"allow_missing_ids": len(counts) == 2} | counts | keywords
        return Interactions(users=users, items=items, ratings=ratings, **keywords)
