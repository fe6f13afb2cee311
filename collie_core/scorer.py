"""What every model offers to evaluation and recommendation, neural or not."""

from collections.abc import Mapping
from typing import Any, Protocol, Self, runtime_checkable

from torch import Tensor


@runtime_checkable
class Scorer(Protocol):
    """Anything that scores all items for a block of users."""

    @property
    def num_users(self) -> int:
        """Number of users, U."""

    @property
    def num_items(self) -> int:
        """Number of items, N."""

    def score_all(self, users: Tensor) -> Tensor:
        """Score every item for `users` (B,) int: (B, N) float32, higher is better."""


@runtime_checkable
class Bundled(Scorer, Protocol):
    """A scorer that a bundle can hold: its arrays, and the few values that shape them."""

    def tensors(self) -> dict[str, Tensor]:
        """Return every array that is needed to score."""

    def config(self) -> dict[str, Any]:
        """Return the values, fit for JSON, that rebuild the scorer around its arrays."""

    @classmethod
    def from_tensors(cls, config: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> Self:
        """Rebuild the scorer that gave `config` and `tensors`."""
