"""Encoded positives as HDF5: the form that does not need memory."""

from pathlib import Path

import h5py
import numpy as np
import numpy.typing as npt
import pandas as pd

from collie_pipeline.preparation.implicit import Encoded, Keys, encode

CHUNK_ROWS = 65_536
ID_NAMES = ("user_id", "item_id")


def write_hdf5(positives: Encoded | pd.DataFrame, path: Path) -> None:
    """Write `positives`, or the `table()` of some, to `path`; equal ones give equal bytes.

    The group `interactions` has the columns user_id, item_id and timestamp, and counts as
    attributes; the group `ids` has the outside ids by code. The caller writes aside and renames.
    """
    encoded = encode(positives) if isinstance(positives, pd.DataFrame) else positives
    columns: dict[str, npt.NDArray[np.generic]] = {
        "user_id": encoded.users,
        "item_id": encoded.items,
        "timestamp": encoded.timestamps,
    }
    with h5py.File(path, "w") as file:
        group = file.create_group("interactions")
        group.attrs["num_users"] = len(encoded.user_ids)
        group.attrs["num_items"] = len(encoded.item_ids)
        for name, column in columns.items():
            _write_column(group, name, column)
        for name, ids in zip(ID_NAMES, (encoded.user_ids, encoded.item_ids), strict=True):
            _write_column(file.require_group("ids"), name, _utf8(ids))


def read_ids(path: Path) -> tuple[Keys, Keys]:
    """Return the outside ids of users, (U,), and of items, (N,), by their codes in `path`.

    Raises
    ------
    ValueError
        If the file holds no ids.
    """
    with h5py.File(path, "r") as file:
        if "ids" not in file:
            raise ValueError(f"{path} has no group 'ids': write it with write_hdf5")
        users, items = (file["ids"][name].asstr()[:].astype(np.str_) for name in ID_NAMES)
    return users, items


def _write_column(group: h5py.Group, name: str, values: npt.NDArray[np.generic]) -> None:
    # Times in the file would make equal content differ in bytes.
    chunks = (min(CHUNK_ROWS, max(len(values), 1)),)
    group.create_dataset(
        name, data=values, chunks=chunks, compression="lzf", shuffle=True, track_times=False
    )


def _utf8(ids: Keys) -> npt.NDArray[np.bytes_]:
    # Fixed length: text of varying length lies in a heap whose bytes are not ours to decide.
    encoded = np.strings.encode(ids, "utf-8")
    return encoded.astype(h5py.string_dtype("utf-8", max(encoded.dtype.itemsize, 1)))
