"""What counts as no value at all, the same for every column."""

import numpy as np
import numpy.typing as npt
import pandas as pd


def plain_text(values: pd.Series) -> pd.Series:
    """Return `values`, of any or mixed types, as text; nulls stay null, bytes are UTF-8.

    What is no Unicode becomes U+FFFD.
    """
    return values.map(_text, na_action="ignore").astype("str")


def is_missing(values: pd.Series) -> npt.NDArray[np.bool_]:
    """Return (B,) whether each of `values` is null, empty, blank or some `nan`."""
    missing = values.isna().to_numpy(dtype=np.bool_)
    if not pd.api.types.is_string_dtype(values.dtype):
        return missing
    bare = values.str.strip().str.lower()
    return missing | bare.isin(["", "nan"]).to_numpy(dtype=np.bool_)


def _text(value: object) -> str:
    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
    # A lone surrogate is not storable.
    return text.encode("utf-8", "surrogatepass").decode("utf-8", "replace")
