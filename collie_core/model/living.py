"""How many bytes of arrays live at once."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any
from weakref import finalize

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


def dense(values: Iterable[Any]) -> list[Tensor]:
    """Return the arrays among `values` whose memory their shape tells."""
    return [each for each in values if isinstance(each, Tensor) and not each.is_sparse]


def size_bytes(values: Iterable[Any]) -> int:
    """Return the bytes of the arrays among `values`."""
    return sum(each.numel() * each.element_size() for each in dense(values))


class Living(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Counts the bytes of arrays while they live: those given, and those made inside the block.

    Parameters
    ----------
    given : anything; arrays among it count.

    Attributes
    ----------
    peak : the most bytes there were at once.
    """

    def __init__(self, given: Iterable[Any]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.now = self.peak = 0
        self._known: set[int] = set()
        self._count(given)

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Do what torch asks for, and count what it returns."""
        made = func(*args, **(kwargs or {}))
        self._count(tree_leaves(made))
        return made

    @contextmanager
    def in_one_pass(self) -> Iterator[None]:
        """Count what the block leaves, and not what lives in it only: on "meta" it makes copies."""
        peak = self.peak
        yield
        self.peak = max(peak, self.now)

    def _count(self, values: Iterable[Any]) -> None:
        for value in dense(values):
            self._add(value.untyped_storage())

    def _add(self, storage: torch.UntypedStorage) -> None:
        place, size = storage._cdata, storage.nbytes()
        if place in self._known:  # a view, or an array that was changed in place
            return
        self._known.add(place)
        self.now += size
        self.peak = max(self.peak, self.now)
        finalize(storage, self._forget, place, size)

    def _forget(self, place: int, size: int) -> None:
        self._known.discard(place)
        self.now -= size
