"""Taking a user out of files: each is written anew, so that no old bytes stay in it."""

from contextlib import AbstractContextManager
from pathlib import Path

import h5py
import pandas as pd

from collie_core.files import replacing
from collie_core.interactions.hdf5_file import COUNTS, GROUP, IDS
from collie_core.utils import pandas_df_to_hdf5
from collie_pipeline.erased import rows_of
from collie_pipeline.erasing.who import Who
from collie_pipeline.storage.checksums import recording, sidecar


def rewriting(path: Path) -> AbstractContextManager[Path]:
    """Give a temporary file that takes the place of `path`; a checksum beside it goes with it."""
    return recording(path) if sidecar(path).exists() else replacing(path)


def erase_rows(path: Path, who: Who) -> int:
    """Return how many rows were of the user in the Parquet file at `path`, and now are not."""
    table = pd.read_parquet(path)
    theirs = rows_of(table, [who.user_id])
    if count := int(theirs.sum()):
        with rewriting(path) as temporary:
            table[~theirs].to_parquet(temporary, index=False)
    return count


def erase_encoded(path: Path, who: Who) -> int:
    """Return 1 if the HDF5 file at `path` knew the user, and now does not.

    Others keep their numbers, which models share: the user's becomes nobody's. A file of nobody
    else's interactions is removed.
    """
    with h5py.File(path, "r") as file:
        ids = {name: list(data.asstr()[:]) for name, data in file.get(IDS, {}).items()}
        if who.user_id not in ids.get("user_id", ()):
            return 0
        group = file[GROUP]
        table = pd.DataFrame({name: group[name][:] for name in group})
        num_users, num_items = (int(group.attrs[name]) for name in COUNTS)
    place = ids["user_id"].index(who.user_id)
    ids["user_id"][place] = who.tombstone
    table = table[table["user_id"] != place]
    if table.empty:
        for each in (path, sidecar(path)):
            each.unlink(missing_ok=True)
        return 1
    with rewriting(path) as temporary:
        pandas_df_to_hdf5(table, temporary, num_users=num_users, num_items=num_items, ids=ids)
    return 1
