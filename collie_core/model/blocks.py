"""The pieces that models are made of."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from itertools import pairwise

import torch
from torch import Tensor, nn

from collie_core.model.dropout import Dropout
from collie_core.utils import trunc_normal

Activation = Callable[[Tensor], Tensor]
_IS_RESTORED = ContextVar("_IS_RESTORED", default=False)


@contextmanager
def restored() -> Iterator[None]:
    """Leave embeddings made in the block without values: those of a bundle take their place.

    Pages of memory that nothing is written to cost nothing, which halves what loading needs.
    """
    token = _IS_RESTORED.set(True)
    try:
        yield
    finally:
        _IS_RESTORED.reset(token)


class ScaledEmbedding(nn.Embedding):
    """Embedding that starts from a truncated normal with standard deviation 1 / D."""

    def reset_parameters(self) -> None:
        """Draw the weights."""
        if _IS_RESTORED.get():
            return
        trunc_normal(self.weight.data, std=1.0 / self.embedding_dim)
        self._fill_padding_idx_with_zero()


class ZeroEmbedding(nn.Embedding):
    """Embedding that starts from zero, as biases do."""

    def reset_parameters(self) -> None:
        """Zero the weights."""
        if _IS_RESTORED.get():
            return
        self.weight.data.zero_()
        self._fill_padding_idx_with_zero()


class SplitLinear(nn.Linear):
    """Linear layer over parts side by side, which broadcast against each other.

    Equal to a layer over the concatenated parts, but each is multiplied before it is repeated: a
    user's part once for all items, an item's once for all users.

    Parameters
    ----------
    sizes : length of each part.
    size : length of the output.
    """

    def __init__(self, sizes: Sequence[int], size: int) -> None:
        super().__init__(sum(sizes), size)
        self.sizes = list(sizes)

    def forward(self, *parts: Tensor) -> Tensor:
        """Return the sum over `parts`, each (..., its size): (..., size)."""
        weights = torch.split(self.weight, self.sizes, dim=1)
        first = nn.functional.linear(parts[0], weights[0], self.bias)
        others = zip(parts[1:], weights[1:], strict=True)
        return sum((nn.functional.linear(part, weight) for part, weight in others), first)


class Tower(nn.Module):
    """Dense layers over parts side by side, with dropout between each two of them.

    Parameters
    ----------
    parts : length of each part of the input.
    dims : lengths of the layers' outputs.
    activation : after each layer; after the last only if `is_last_activated`.
    dropout_p : probability of dropping an entry between two layers.
    """

    def __init__(
        self,
        parts: Sequence[int],
        dims: Sequence[int],
        activation: Activation,
        dropout_p: float,
        *,
        is_last_activated: bool = True,
    ) -> None:
        super().__init__()
        if not dims:
            raise ValueError("dims is empty, must have at least one layer: leave the tower out")
        self.first = SplitLinear(parts, dims[0])
        self.rest = nn.ModuleList(nn.Linear(size, after) for size, after in pairwise(dims))
        self.activation, self.is_last_activated = activation, is_last_activated
        self.dropout = Dropout(dropout_p)

    def layers(self) -> list[nn.Linear]:
        """Return all layers in order."""
        return [self.first, *(layer for layer in self.rest if isinstance(layer, nn.Linear))]

    def forward(self, *parts: Tensor) -> Tensor:
        """Return the output of the last layer over `parts`, which broadcast: (..., dims[-1])."""
        hidden: Tensor = self.first(*parts)
        for layer in self.rest:
            hidden = layer(self.dropout(self.activation(hidden)))
        return self.activation(hidden) if self.is_last_activated else hidden


def dot(user_vectors: Tensor, item_vectors: Tensor) -> Tensor:
    """Return dot products over the last dimension, broadcasting: (...).

    Users (B, 1, D) against the same items (1, N, D) are one product of matrices, (B, N).
    """
    if user_vectors.ndim == 3 and user_vectors.shape[1] == item_vectors.shape[0] == 1:
        return user_vectors[:, 0] @ item_vectors[0].T
    dots: Tensor = torch.linalg.vecdot(user_vectors, item_vectors)
    return dots


def biased_dot(user: tuple[Tensor, ...], item: tuple[Tensor, ...]) -> Tensor:
    """Return the dot product of two pairs of vector (..., D) and bias (..., 1), biases added."""
    (user_vectors, user_biases), (item_vectors, item_biases) = user, item
    dots = dot(user_vectors, item_vectors)  # whose gradients need no dots: they may change
    return dots.add_(user_biases.squeeze(-1)).add_(item_biases.squeeze(-1))


def in_range(scores: Tensor, y_range: tuple[float, float] | None) -> Tensor:
    """Return `scores` squeezed by a sigmoid into (minimum, maximum); unchanged without a range."""
    if y_range is None:
        return scores
    return torch.sigmoid(scores) * (y_range[1] - y_range[0]) + y_range[0]


def cosine_to_all(vector: Tensor, vectors: Tensor) -> Tensor:
    """Return the cosine of `vector` (D,) with each of `vectors` (N, D): (N,); 0 where one is 0."""
    return nn.functional.cosine_similarity(vector[None], vectors, dim=1)
