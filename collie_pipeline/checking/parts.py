"""What is wrong with the parts of a window, in HDF5 files."""

from itertools import pairwise
from pathlib import Path

import h5py
import numpy as np

from collie_pipeline.checking.finding import Finding
from collie_pipeline.preparation.hdf5 import pairs_in


def separate(*parts: Path) -> Finding:
    """Find whether each user and item are together in one row of one of the HDF5 files `parts`."""
    pairs = np.concatenate([pairs_in(path) for path in parts])
    twice = len(pairs) - len(np.unique(pairs))
    return Finding(
        twice == 0,
        f"{twice} of {len(pairs):,} rows repeat the user and item of another, 0 may: a "
        "model would be asked for what it was shown",
        {"repeated_pairs": twice},
    )


def in_order(*parts: Path) -> Finding:
    """Find whether no row of an HDF5 file is later than the first of the files after it."""
    times = []
    for path in parts:
        with h5py.File(path, "r") as file:
            times.append(file["interactions/timestamp"][:])
    late = sum(int((before > after.min()).sum()) for before, after in pairwise(times))
    return Finding(
        late == 0,
        f"{late} rows are later than the first of the next part, 0 may be: a model would have "
        "learned from the future",
        {"future_rows": late},
    )
