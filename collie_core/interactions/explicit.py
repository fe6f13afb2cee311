"""Explicit interactions in memory: ratings as given, nothing drawn."""

from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from collie_core.interactions.base import BaseInteractions, Row, Rows
from collie_core.interactions.batches import Batch
from collie_core.interactions.ids import Ids

ManyExplicit = tuple[Ids, Ids, NDArray[Any]]
OneExplicit = tuple[int, int, float]


class ExplicitInteractions(BaseInteractions):
    """Users' ratings of items in memory.

    ``interactions[3]`` is (user, item, rating); a slice, a list or an array gives (users (B,),
    items (B,), ratings (B,)), flat unlike the batches of `Interactions`, by which a model tells
    the two kinds apart. See `BaseInteractions` for parameters, attributes and errors.
    """

    @property
    def num_negative_samples(self) -> int:
        """Raise an AttributeError: nothing is drawn for explicit data."""
        raise AttributeError(
            "num_negative_samples does not exist for explicit data: use Interactions to draw some"
        )

    @overload
    def __getitem__(self, index: Row) -> OneExplicit: ...
    @overload
    def __getitem__(self, index: Rows | Batch) -> ManyExplicit: ...
    def __getitem__(self, index: Row | Rows | Batch) -> OneExplicit | ManyExplicit:
        rows: Any = index.rows if isinstance(index, Batch) else index
        if isinstance(rows, (int, np.integer)):
            return int(self.users[rows]), int(self.items[rows]), float(self.ratings[rows])
        return self.users[rows], self.items[rows], self.ratings[rows]
