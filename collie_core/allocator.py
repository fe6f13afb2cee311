"""How the C library hands out memory: what one batch frees is there for the next."""

import ctypes
import os
from functools import cache

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
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, TypeError):  # macOS and musl have none, Windows has no such library
        return
    # Both or none: whichever is set, glibc adapts neither to the blocks that it sees any more.
    if mallopt(MMAP_THRESHOLD, LARGE_BYTES):
        mallopt(TRIM_THRESHOLD, KEPT_BYTES)
