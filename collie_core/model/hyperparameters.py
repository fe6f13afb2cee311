"""Hyperparameters on their way to a bundle, back from one, and to a logger."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from torch import Tensor, nn

FUNCTION = "function"  # the key under which a bundle notes what it cannot hold
DATA = (Tensor, nn.Module, np.ndarray, pd.DataFrame, pd.Series)


def is_hyperparameter(value: object) -> bool:
    """Return whether `value` describes a model; tensors, tables and modules are parts of it."""
    return not isinstance(value, DATA)


def storable(name: str, value: Any) -> Any:
    """Return `value` as JSON has it; of a function only its name, since bundles hold no code.

    Raises
    ------
    TypeError
        If `value` is none of numbers, texts, None, functions, or lists and dicts of these.
    """
    if isinstance(value, Mapping):
        return {str(key): storable(name, each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [storable(name, each) for each in value]
    if isinstance(value, np.generic):
        return value.item()
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if callable(value):
        return {FUNCTION: getattr(value, "__qualname__", repr(value))}
    raise TypeError(
        f"{name} is {type(value).__name__}, which a bundle cannot hold: make it a tensor that "
        "_setup_model registers as a buffer"
    )


def rebuilt(stored: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the hyperparameters of a bundle, with functions taken from `given`.

    Raises
    ------
    ValueError
        If a function is not given again.
    """
    values = dict(stored)
    for name, value in stored.items():
        if isinstance(value, Mapping) and value.keys() == {FUNCTION}:
            if not callable(given.get(name)):
                raise ValueError(
                    f"{name} was the function {value[FUNCTION]}, and a bundle holds no code: pass "
                    f"{name}=... beside load_model_path"
                )
            values[name] = given[name]
    return values


def loggable(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return `values` as a logger writes them: numbers and texts as they are, the rest as text.

    Where a model was loaded from is left out: that is a place on one machine.
    """
    plain = (bool, int, float, str, type(None))
    return {
        name: each if isinstance(each, plain) else _text(each)
        for name, each in values.items()
        if name != "load_model_path"
    }


def _text(value: Any) -> str:
    return str(getattr(value, "__name__", value))
