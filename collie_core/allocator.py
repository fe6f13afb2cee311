"""How the C library hands out memory: what one batch frees is kept for the next, or given back."""

import ctypes
import os
from collections.abc import Callable
from functools import cache, wraps
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")
TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3  # as mallopt(3) calls them
KEPT_BYTES, LARGE_BYTES = 1 << 27, 1 << 25  # 32 MiB are the most that glibc allows for the latter
OWN = ("MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_", "GLIBC_TUNABLES")


@cache
def keep_freed_memory() -> None:
    """Have this process keep up to 128 MiB that are freed, from now on.

    glibc gives blocks of some MiB back to the system when they are freed, and the pages of the next
    batch are mapped and zeroed anew: a quarter of an epoch of models with dense layers. Blocks of
    more than 32 MiB are given back as ever. Where there is another C library, or the environment
    says how much is to be kept, nothing changes.
    """
    if any(name in os.environ for name in OWN):
        return
    mallopt = _of_glibc("mallopt")
    # Both or none: whichever is set, glibc adapts neither to the blocks that it sees any more.
    if mallopt(MMAP_THRESHOLD, LARGE_BYTES):
        mallopt(TRIM_THRESHOLD, KEPT_BYTES)


def giving_memory_back(function: Callable[P, R]) -> Callable[P, R]:
    """Return `function`, after each call of which what it has freed is the system's again.

    Otherwise glibc keeps free what lies between blocks that are in use: after a large table was
    read piece by piece, as much as the table. Where there is another C library, nothing changes.
    """

    @wraps(function)
    def called(*arguments: P.args, **options: P.kwargs) -> R:
        answer = function(*arguments, **options)
        _of_glibc("malloc_trim")(0)
        return answer

    return called


def _of_glibc(name: str) -> Callable[..., int]:
    """Return the function `name`, or one that does nothing where there is another C library."""
    try:
        found: Callable[..., int] = getattr(ctypes.CDLL(None), name)
    except (AttributeError, TypeError):  # macOS and musl have none, Windows has no such library
        return lambda *_: 0
    return found
