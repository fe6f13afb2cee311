"""Dropout whose second pass over some of the pairs drops what the first pass did."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import torch
from torch import Tensor, nn


class Masks:
    """What all layers of a model dropped of pairs (B, C), to be dropped again of a choice of them.

    Parameters
    ----------
    count : C, how many items each user is paired with.

    Attributes
    ----------
    places : (B, P) which of the C are left; None while masks are taken down.
    """

    def __init__(self, count: int) -> None:
        self._count = count
        self._taken: list[Tensor] = []
        self.places: Tensor | None = None

    def of(self, layer: "Dropout", entries: Tensor) -> Tensor:
        """Return what `layer` keeps of `entries`, drawn anew or as it was of the same pairs."""
        if self.places is None:
            self._taken.append(layer.drawn(entries))
            return self._taken[-1]
        mask = self._taken.pop(0)
        if mask.shape == entries.shape:  # of users, who are the same
            return mask
        by_pair = mask.reshape(len(self.places), self._count, -1)  # (B, C, ...) or (B · C, ...)
        places = self.places[..., None].expand(-1, -1, by_pair.shape[-1])
        return by_pair.gather(1, places).reshape(entries.shape)


_MASKS: ContextVar[Masks | None] = ContextVar("_MASKS", default=None)


@contextmanager
def remembered(count: int) -> Iterator[Masks]:
    """Take down in the block what is dropped of (B, `count`), to drop it again of some places."""
    masks = Masks(count)
    token = _MASKS.set(masks)
    try:
        yield masks
    finally:
        _MASKS.reset(token)


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
        masks = _MASKS.get()
        kept = self.drawn(entries) if masks is None else masks.of(self, entries)
        return entries * kept.to(entries.dtype).mul_(2**16 / (2**16 - self.dropped))

    def drawn(self, entries: Tensor) -> Tensor:
        """Return which of `entries` to keep, 1 or 0 of 16 bits in the same shape.

        To make Booleans of them, and numbers of those, took a tenth of an epoch on a CPU.
        """
        count = entries.numel()
        draws = torch.empty((count + 3) // 4, dtype=torch.int64, device=entries.device)
        bits = draws.random_(-(2**63), None).view(torch.int16)[:count].view(entries.shape)
        return bits.ge_(self.dropped - 2**15)


RANDOM_OR_MIXING = (nn.modules.dropout._DropoutNd, nn.modules.batchnorm._NormBase)


def repeats(model: nn.Module) -> bool:
    """Return whether a pair scores the same in a second pass, whatever else is in it.

    It does not where torch's own dropout draws anew, or a layer normalizes over the batch.
    """
    return not any(isinstance(each, RANDOM_OR_MIXING) for each in model.modules())
