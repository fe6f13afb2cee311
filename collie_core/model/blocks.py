"""The pieces that models are made of."""

import torch
from torch import Tensor, nn

from collie_core.utils import trunc_normal


class ScaledEmbedding(nn.Embedding):
    """Embedding that starts from a truncated normal with standard deviation 1 / D."""

    def reset_parameters(self) -> None:
        """Draw the weights."""
        trunc_normal(self.weight.data, std=1.0 / self.embedding_dim)
        self._fill_padding_idx_with_zero()


class ZeroEmbedding(nn.Embedding):
    """Embedding that starts from zero, as biases do."""

    def reset_parameters(self) -> None:
        """Zero the weights."""
        self.weight.data.zero_()
        self._fill_padding_idx_with_zero()


class Dropout(nn.Module):
    """Dropout with probability `p` in [0, 1), rounded to a multiple of 2⁻¹⁶.

    Four entries share one random number of 64 bits: torch draws one for each, which took a third
    of the time of training matrix factorization on a CPU.
    """

    def __init__(self, p: float) -> None:
        if not 0 <= p < 1:
            raise ValueError(f"dropout_p is {p}, must be in [0, 1): start from 0.1")
        super().__init__()
        self.dropped = min(round(p * 2**16), 2**16 - 1)

    def forward(self, entries: Tensor) -> Tensor:
        """Return `entries` with some of them 0 and the others scaled to make up for it."""
        if not self.training or not self.dropped:
            return entries
        count = entries.numel()
        draws = torch.empty((count + 3) // 4, dtype=torch.int64, device=entries.device)
        bits = draws.random_(-(2**63), None).view(torch.int16)[:count].view(entries.shape)
        kept = bits >= self.dropped - 2**15
        return entries * kept.to(entries.dtype).mul_(2**16 / (2**16 - self.dropped))


def biased_dot(
    user_vectors: Tensor, item_vectors: Tensor, user_biases: Tensor, item_biases: Tensor
) -> Tensor:
    """Return dot products plus both biases, all over the last dimension: (...), broadcasting."""
    dots: Tensor = torch.linalg.vecdot(user_vectors, item_vectors)
    return dots + user_biases.squeeze(-1) + item_biases.squeeze(-1)


def in_range(scores: Tensor, y_range: tuple[float, float] | None) -> Tensor:
    """Return `scores` squeezed by a sigmoid into (minimum, maximum); unchanged without a range."""
    if y_range is None:
        return scores
    return torch.sigmoid(scores) * (y_range[1] - y_range[0]) + y_range[0]


def cosine_to_all(vector: Tensor, vectors: Tensor) -> Tensor:
    """Return the cosine of `vector` (D,) with each of `vectors` (N, D): (N,); 0 where one is 0."""
    return nn.functional.cosine_similarity(vector[None], vectors, dim=1)
