"""What ours and the original have alike: whichever of the two this interpreter has."""

from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

IS_OURS = find_spec("collie_core") is not None
NAME = "collie_core" if IS_OURS else "collie"
interactions, model, metrics, splits, utils = (
    import_module(f"{NAME}.{part}")
    for part in ("interactions", "model", "metrics", "cross_validation", "utils")
)
BATCH = 1024
LOADERS = {
    "exact": "InteractionsDataLoader",
    "approximate": "ApproximateNegativeSamplingInteractionsDataLoader",
}


def made_interactions(path: Path, part: str = "", **options: Any) -> Any:
    """Return the interactions of a part of a data set, with the users and items of the whole."""
    arrays = np.load(path)
    counts = {f"num_{name}": int(arrays[name].max()) + 1 for name in ("users", "items")}
    columns = {name: arrays[f"{part}{name}"] for name in ("users", "items")}
    whole = {**columns, **counts, "allow_missing_ids": True, "seed": 0, **options}
    return interactions.Interactions(**whole)


def made_loader(train: Any, kind: str = "exact", **options: Any) -> Any:
    """Return a loader of shuffled batches with "exact" or "approximate" negatives."""
    of = {"interactions": train, "batch_size": BATCH, "shuffle": True, "num_workers": 0}
    return getattr(interactions, LOADERS[kind])(**(of | options))


def made_hdf5_loader(path: Path, batch_size: int = BATCH) -> Any:
    """Return a loader of shuffled batches from a file, which is written if it is not there."""
    import pandas as pd

    arrays, file = np.load(path), path.with_suffix(f".{NAME}.h5")
    if not file.exists():
        frame = pd.DataFrame({"user_id": arrays["users"], "item_id": arrays["items"]})
        utils.pandas_df_to_hdf5(frame, file, "interactions")
    data = interactions.HDF5Interactions(file, user_col="user_id", item_col="item_id", seed=0)
    of = {"hdf5_interactions": data, "batch_size": batch_size, "shuffle": True, "num_workers": 0}
    return interactions.HDF5InteractionsDataLoader(**of)
