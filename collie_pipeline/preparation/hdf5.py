"""Encoded positives as HDF5: the form that does not need memory."""

from pathlib import Path

import h5py
import numpy as np
import numpy.typing as npt
import pandas as pd

from collie_core.allocator import giving_memory_back
from collie_core.interactions import read_ids as read_all_ids
from collie_core.utils import pandas_df_to_hdf5
from collie_pipeline.preparation.implicit import Encoded, Keys, encode


@giving_memory_back
def write_hdf5(positives: Encoded | pd.DataFrame, path: Path) -> None:
    """Write `positives`, or a table of them by outside id, to `path`; see `pandas_df_to_hdf5`.

    The file has the columns user_id, item_id and timestamp, counts, and the outside ids by code.
    """
    encoded = encode(positives) if isinstance(positives, pd.DataFrame) else positives
    columns = {
        "user_id": encoded.users,
        "item_id": encoded.items,
        "timestamp": encoded.timestamps,
    }
    pandas_df_to_hdf5(
        pd.DataFrame(columns),
        path,
        num_users=len(encoded.user_ids),
        num_items=len(encoded.item_ids),
        ids={"user_id": encoded.user_ids, "item_id": encoded.item_ids},
    )


def read_ids(path: Path) -> tuple[Keys, Keys]:
    """Return the outside ids of users, (U,), and of items, (N,), by their codes in `path`.

    Raises
    ------
    ValueError
        If the file holds no ids.
    """
    ids = read_all_ids(path)
    if not ids:
        raise ValueError(f"{path} has no group 'ids': write it with write_hdf5")
    return ids["user_id"].astype(np.str_), ids["item_id"].astype(np.str_)


def pairs_in(path: Path) -> npt.NDArray[np.int64]:
    """Return the pair of each row of the HDF5 file at `path`, as one number: user · 2^32 + item."""
    with h5py.File(path, "r") as file:
        group = file["interactions"]
        users, items = (group[name][:].astype(np.int64) for name in ("user_id", "item_id"))
        pairs: npt.NDArray[np.int64] = users << 32 | items  # both are int32
    return pairs
