"""A project so small that its whole graph takes seconds, with all that makes it interesting."""

from pathlib import Path

import pandas as pd

from collie_pipeline.preparation import write_hdf5
from collie_pipeline.settings import Settings, load_settings

SMALL = {
    "window_weeks": 4,
    "demo": {"users": 120, "items": 80, "ratings": 2_400, "weeks": 6},
    "models": {
        "matrix_factorization": {"embedding_dim": 4, "epochs": 2, "num_negative_samples": 3},
        "cold_start": {"embedding_dim": 4, "epochs": 2, "num_negative_samples": 3},
    },
    "evaluation": {"resamples": 200},
}


def small_settings(root: Path, **changes: object) -> Settings:
    return load_settings(**{**SMALL, "root": root, **changes})


def written_pairs(folder: Path) -> Path:
    """Write 20 users and 20 items, some of which have met, as HDF5, and return the file."""
    pairs = [(f"u{u:02}", f"i{(u * 7 + n * n) % 20:02}") for u in range(20) for n in range(6)]
    rows = pd.DataFrame(sorted(set(pairs)), columns=["user_id", "item_id"])
    rows["timestamp"] = pd.date_range("2026-01-05", periods=len(rows), freq="h", tz="UTC")
    write_hdf5(rows, folder / "rows.h5")
    return folder / "rows.h5"
