"""The arguments a constructor was called with."""

import inspect
from collections.abc import Iterable
from typing import Any


def get_init_arguments(
    exclude: str | Iterable[str] | None = None, verbose: bool = False
) -> dict[str, Any]:
    """Return the arguments of the calling ``__init__`` by name, without `self`.

    What came as ``**kwargs`` stands beside the rest. Call it first: a parameter that was assigned
    to has its new value.

    Parameters
    ----------
    exclude : names to leave out.
    verbose : whether to print which names of `exclude` are no arguments.

    Raises
    ------
    RuntimeError
        If this Python has no frames to look into.
    """
    frame = inspect.currentframe()
    if frame is None or frame.f_back is None:
        raise RuntimeError("there is no calling frame: pass the arguments by name")
    names, _, keywords, values = inspect.getargvalues(frame.f_back)
    arguments = {name: values[name] for name in names} | values.get(keywords or "", {})
    left_out = [exclude] if isinstance(exclude, str) else list(exclude or ())
    for name in left_out if verbose else ():
        if name not in arguments:
            print(f"Key {name} not found in ``init_args`` and will be ignored.")
    return {name: value for name, value in arguments.items() if name not in {"self", *left_out}}
