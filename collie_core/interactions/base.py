"""What interactions in memory have in common, with or without negative samples."""

from copy import copy
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from collie_core.interactions.ids import (
    Count,
    Ids,
    checked_count,
    checked_ids,
    checked_ratings,
    checked_seed,
    refuse_missing_ids,
)
from collie_core.interactions.sorted_keys import Keys

Row = int | np.integer[Any]
Rows = slice | list[int] | NDArray[Any]


class BaseInteractions:
    """User-item interactions in memory, checked once, as columns and as a sparse matrix.

    Parameters
    ----------
    mat : users x items, dense or of any scipy sparse format; used instead of `users`, `items` and
        `ratings`. A zero, stored or not, is no interaction.
    users, items : (B,) ids from 0 on.
    ratings : (B,) finite numbers; None stands for ones. A zero here is a rating.
    allow_missing_ids : whether ids may leave holes in 0..max; a matrix always may.
    remove_duplicate_user_item_pairs : whether only the first row of a pair is kept.
    num_users, num_items : counts, at least the largest id + 1; "infer" takes that, or `mat.shape`.
    seed : of everything drawn for these interactions; None draws one from the system's entropy.

    Attributes
    ----------
    users, items, ratings : (B,) the checked columns, in the order given.
    mat : scipy.sparse.coo_matrix (U, N) over the same columns.

    Raises
    ------
    ValueError
        If there are no interactions, or a value is refused (see `collie_core.interactions.ids`).
    """

    users: Ids
    items: Ids
    ratings: NDArray[Any]
    mat: sparse.coo_matrix

    def __init__(
        self,
        mat: Any = None,
        users: Any = None,
        items: Any = None,
        ratings: Any = None,
        allow_missing_ids: bool = False,
        remove_duplicate_user_item_pairs: bool = True,
        num_users: Count = "infer",
        num_items: Count = "infer",
        seed: int | None = None,
    ) -> None:
        self.allow_missing_ids = allow_missing_ids
        self.remove_duplicate_user_item_pairs = remove_duplicate_user_item_pairs
        self.seed = checked_seed(seed)
        if mat is None:
            users, items, ratings = _checked_columns(users, items, ratings, allow_missing_ids)
            shape = int(users.max()) + 1, int(items.max()) + 1
        else:
            users, items, ratings, shape = _entries(mat)
        self.num_users = checked_count("num_users", num_users, int(users.max()) + 1, shape[0])
        self.num_items = checked_count("num_items", num_items, int(items.max()) + 1, shape[1])
        cells = None
        if remove_duplicate_user_item_pairs:
            is_kept, cells = _first_of_each_pair(users, items, self.num_items)
            if len(cells) < len(users):
                users, items, ratings = users[is_kept], items[is_kept], ratings[is_kept]
        self._set_rows(users, items, ratings, cells)

    @property
    def num_interactions(self) -> int:
        """Number of interactions, B."""
        return len(self.users)

    def __len__(self) -> int:
        return self.num_interactions

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}({self.num_interactions:,} interactions of {self.num_users:,} "
            f"users with {self.num_items:,} items)"
        )

    def subset(self, rows: Rows) -> Self:
        """Return the interactions at `rows` alone, with the same counts, options and seed.

        Raises
        ------
        ValueError
            If `rows` selects nothing.
        """
        part = copy(self)
        part._set_rows(self.users[rows], self.items[rows], self.ratings[rows])
        return part

    def head(self, n: int = 5) -> NDArray[Any]:
        """Return the first `n` rows of the dense matrix, (n, N), or all but the last -n."""
        return self._dense_rows(0, n)

    def tail(self, n: int = 5) -> NDArray[Any]:
        """Return the last `n` rows of the dense matrix, (n, N), or all but the first -n."""
        start = self.num_users - n if n >= 0 else -n
        return self._dense_rows(max(start, 0), self.num_users)

    def toarray(self) -> NDArray[Any]:
        """Return the dense matrix as an array, (U, N)."""
        return np.asarray(self.mat.toarray())

    def todense(self) -> "np.matrix[Any, Any]":
        """Return the dense matrix as a `numpy.matrix`, (U, N)."""
        return self.mat.todense()

    def _dense_rows(self, start: int, stop: int) -> NDArray[Any]:
        return np.asarray(self.mat.tocsr()[start:stop].toarray())

    def _set_rows(
        self,
        users: Ids,
        items: Ids,
        ratings: NDArray[Any],
        cells: Keys | None = None,  # noqa: ARG002 - of those who draw negatives
    ) -> None:
        if not len(users):
            raise ValueError("there are 0 interactions, must be at least 1: see what was filtered")
        self.users, self.items, self.ratings = users, items, ratings
        shape = self.num_users, self.num_items
        self.mat = sparse.coo_matrix((ratings, (users, items)), shape=shape)


def _checked_columns(
    users: Any, items: Any, ratings: Any, allow_missing_ids: bool
) -> tuple[Ids, Ids, NDArray[Any]]:
    if users is None or items is None:
        raise ValueError("there are no interactions: pass mat, or both users and items")
    users, items = checked_ids("user_id", users), checked_ids("item_id", items)
    if len(users) != len(items):
        raise ValueError(f"there are {len(users)} users and {len(items)} items: pass one of each")
    ratings = checked_ratings(ratings, users, items)
    if not len(users):
        raise ValueError("users and items are empty, must have at least 1 row: see what was read")
    if not allow_missing_ids:
        refuse_missing_ids("user_id", users)
        refuse_missing_ids("item_id", items)
    return users, items, ratings


def _entries(mat: Any) -> tuple[Ids, Ids, NDArray[Any], tuple[int, int]]:
    """Return users, items and ratings of the non-zero entries of `mat`, and its shape."""
    matrix: Any = mat if sparse.issparse(mat) else np.asarray(mat)
    if matrix.ndim != 2:
        raise ValueError(f"mat has shape {matrix.shape}, must have two dimensions: users x items")
    entries = sparse.coo_matrix(matrix)
    kept = entries.data != 0
    if not kept.any():
        raise ValueError(f"mat {matrix.shape} has no non-zero entry, must have at least 1")
    users = checked_ids("user_id", entries.row[kept])
    items = checked_ids("item_id", entries.col[kept])
    return users, items, checked_ratings(entries.data[kept], users, items), matrix.shape


def _first_of_each_pair(users: Ids, items: Ids, num_items: int) -> tuple[NDArray[np.bool_], Keys]:
    """Return which rows (B,) are the first of their pair, and the pairs as cells, sorted."""
    pairs = users.astype(np.int64) * num_items + items
    ordered = np.sort(pairs)
    is_new = np.ones(pairs.size, dtype=np.bool_)
    np.not_equal(ordered[1:], ordered[:-1], out=is_new[1:])
    is_kept = np.ones(pairs.size, dtype=np.bool_)
    if is_new.all():
        return is_kept, ordered
    repeated = ordered[~is_new]
    found = np.minimum(np.searchsorted(repeated, pairs), repeated.size - 1)
    suspects = np.flatnonzero(repeated[found] == pairs)  # only their order has to be known
    is_kept[suspects] = False
    is_kept[suspects[np.unique(pairs[suspects], return_index=True)[1]]] = True
    return is_kept, ordered[is_new]
