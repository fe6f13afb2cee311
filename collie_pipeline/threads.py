"""The number of threads that numbers are made with, which sums of floats depend on."""

import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any


@contextmanager
def threads(count: int) -> Iterator[None]:
    """Have torch and the BLAS libraries use `count` threads in the block, whatever there are.

    What each thread adds up is rounded before the sums are added: with another number of threads
    EASE and DeepFM differed in their last bits.
    """
    import torch
    from threadpoolctl import threadpool_limits

    before = torch.get_num_threads()
    with threadpool_limits(count):
        torch.set_num_threads(count)
        try:
            yield
        finally:
            torch.set_num_threads(before)


def on_threads(count: int, function: Callable[..., Any]) -> Callable[..., Any]:
    """Return `function`, or generator function, that is run inside of `threads`."""

    @wraps(function)
    def pinned(*args: Any, **kwargs: Any) -> Any:
        with threads(count):
            return function(*args, **kwargs)

    @wraps(function)
    def pinned_generator(*args: Any, **kwargs: Any) -> Any:
        with threads(count):
            yield from function(*args, **kwargs)

    return pinned_generator if inspect.isgeneratorfunction(function) else pinned
