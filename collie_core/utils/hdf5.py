"""The layout of our HDF5 files, written: whole or not at all."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from collie_core.files import written_aside
from collie_core.interactions.hdf5_file import COUNTS, GROUP, IDS
from collie_core.interactions.ids import checked_count, checked_ids
from collie_core.new_hdf5 import new_hdf5
from collie_core.utils.columns import finite_ratings

CHUNK_ROWS = 1 << 14  # 64 KiB of ids: small enough that a batch does not read much beside itself
ID_COLUMNS = ("user_id", "item_id")


def pandas_df_to_hdf5(
    df: pd.DataFrame,
    out_path: str | Path,
    key: str = GROUP,
    *,
    num_users: int | None = None,
    num_items: int | None = None,
    ids: Mapping[str, Any] | None = None,
) -> None:
    """Write `df` as columns of an HDF5 file, in place of what was there.

    The columns "user_id" and "item_id" become int32, "rating" float32, and times int64
    microseconds since 1970 UTC; other numbers stay as they are. The same data give the same bytes.

    Parameters
    ----------
    df : one row an interaction; columns of numbers or times.
    out_path : the file; written aside and then renamed, so that it is whole or absent.
    key : name of the group of columns.
    num_users, num_items : counts to keep in the file; None takes the largest id + 1.
    ids : outside ids to keep, "user_id" (U,) and "item_id" (N,), by encoded id.

    Raises
    ------
    ValueError
        If there are no rows, an id is refused (see `checked_ids`), or a rating is not finite.
    TypeError
        If a column is neither of numbers nor of times.
    FileNotFoundError
        If the folder of `out_path` does not exist.
    """
    if df.empty:
        raise ValueError(f"there are 0 rows for {out_path}, must be at least 1: see what was read")
    columns = {str(name): _stored(df, name) for name in df.columns}
    path = Path(out_path)
    with written_aside(path) as (aside,), new_hdf5(aside) as file:
        group = file.create_group(key)
        for name, values in columns.items():
            create_column(group, name, len(values), values.dtype)[:] = values
        for count, name, asked in zip(COUNTS, ID_COLUMNS, (num_users, num_items), strict=True):
            if name in columns:
                needed = int(columns[name].max()) + 1
                group.attrs[count] = (
                    needed if asked is None else checked_count(count, asked, needed, needed)
                )
        for name, values in (ids or {}).items():
            texts = np.asarray(values, dtype=object)
            file.require_group(IDS).create_dataset(name, data=texts, dtype=h5py.string_dtype())


def create_column(group: h5py.Group, name: str, length: int, dtype: np.dtype[Any]) -> h5py.Dataset:
    """Return a new, empty, chunked column of `group`."""
    return group.create_dataset(name, (length,), dtype, chunks=(min(length, CHUNK_ROWS),))


def _stored(df: pd.DataFrame, name: Any) -> NDArray[Any]:
    """Return one column as it is stored."""
    if name in ID_COLUMNS:
        return checked_ids(name, df[name])
    if name == "rating":
        return finite_ratings(df, name).astype(np.float32)
    if isinstance(df[name].dtype, pd.DatetimeTZDtype) or df[name].dtype.kind == "M":
        return _microseconds(df[name])
    values: NDArray[Any] = df[name].to_numpy()
    if values.dtype.kind not in "biuf":
        raise TypeError(f"column {name!r} is {df[name].dtype}, must be numbers or times: drop it")
    return values


def _microseconds(times: "pd.Series[Any]") -> NDArray[np.int64]:
    if times.isna().any():
        row = int(times.isna().to_numpy().argmax())
        raise ValueError(f"{times.name} at row {row} is missing: drop the row or fill it in")
    naive = pd.DatetimeIndex(pd.to_datetime(times, utc=True)).tz_localize(None)
    return naive.to_numpy().astype("datetime64[us]").astype(np.int64)
