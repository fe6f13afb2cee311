"""Data on which settings are searched in tests: 60 users of 30 items in three groups."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from small_project import small_settings

from collie_core.bundle import save_bundle
from collie_core.utils import pandas_df_to_hdf5
from collie_pipeline.ingredients import Ingredients
from collie_pipeline.modelling import make
from collie_pipeline.preparation import item_features

WEEK = "2026-01-05"
USERS, ITEMS = 60, 30
IDS = {
    "user_id": np.array([f"u{user:02}" for user in range(USERS)]),
    "item_id": np.array([f"i{item:02}" for item in range(ITEMS)]),
}
FEW = {  # with them, it learns in a few epochs of one or two batches
    "loss": "warp",
    "l2": 0.0,
    "dropout_p": 0.3,
    "embedding_dim": 4,
    "epochs": 6,
    "patience": 6,
    "num_negative_samples": 3,
}


def parts(folder: Path, rated: bool = False) -> tuple[Path, Path]:
    """Write train and validation, in which users like the items of their group, and rate them."""
    rng = np.random.default_rng(0)
    alike = np.arange(USERS)[:, None] % 3 == np.arange(ITEMS)[None] % 3
    users, items = np.nonzero(rng.random(alike.shape) < np.where(alike, 0.7, 0.1))
    rows = pd.DataFrame({"user_id": users, "item_id": items})
    if rated:
        rows["rating"] = np.where(alike[users, items], 5.0, 2.0)
    held = rng.random(len(rows)) < 0.3
    paths = folder / "train.h5", folder / "validation.h5"
    for path, part in zip(paths, (rows[~held], rows[held]), strict=True):
        pandas_df_to_hdf5(part, path, num_users=USERS, num_items=ITEMS, ids=IDS)
    return paths


def ingredients(folder: Path, rated: bool = False, **models: object) -> Ingredients:
    """Return what candidates are made of, with the settings of some models."""
    train, validation = parts(folder, rated)
    ids = list(IDS["item_id"])
    items = pd.DataFrame({"item_id": ids, "title": "A (1990)", "genres": ["x", "y", "z"] * 10})
    settings = small_settings(folder / "data", models={"matrix_factorization": FEW, **models})
    return Ingredients(
        settings, train, validation, item_features(items, ids, ("genres",), "genres")
    )


def with_previous(given: Ingredients, folder: Path) -> Ingredients:
    """Return the same, and the bundle of matrix_factorization."""
    made = make("matrix_factorization", given)
    save_bundle(made.model, folder / "previous.bundle", made.ids)
    return replace(given, previous=folder / "previous.bundle")
