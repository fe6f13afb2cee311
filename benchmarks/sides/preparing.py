"""From five million raw rows in a CSV file to the three files of a split: ours, and as Collie's."""

import shutil
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd

IS_OURS = find_spec("collie_core") is not None
Work = Callable[[], object]
PARTS = ("train", "validation", "test")
SHARES = (0.06, 0.11, 0.27, 0.34, 0.22)  # of ratings from 1 to 5, as in MovieLens 100K
FIRST, LAST = 1_640_995_200, 1_672_531_200  # seconds


def _raw(path: Path) -> Path:
    """Return the CSV file of user_id, item_id, rating and timestamp, made if need be."""
    file = path.with_suffix(".raw.csv")
    if not file.exists():
        arrays, rng = np.load(path), np.random.default_rng(0)
        rows = len(arrays["users"])
        frame = pd.DataFrame({"user_id": arrays["users"] + 1, "item_id": arrays["items"] + 1})
        frame["rating"] = rng.choice(np.arange(1, 6), rows, p=SHARES)
        frame["timestamp"] = rng.integers(FIRST, LAST, rows)
        aside = file.with_name(f".{file.name}.{'ours' if IS_OURS else 'theirs'}")
        frame.to_csv(aside, index=False)
        aside.replace(file)
    return file


def preparation(path: Path) -> Work:
    """Clean, keep the positives of users with at least 5, encode, and split by user on disk."""
    file, folder = _raw(path), path.with_suffix(f".split-{'ours' if IS_OURS else 'theirs'}")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    return (_ours if IS_OURS else _original)(file, folder)


def _ours(file: Path, folder: Path) -> Work:
    """Return what the assets of `prepared` do, one function after the other."""
    from collie_core.cross_validation import split_hdf5
    from collie_pipeline.preparation import clean, folds, implicit, write_hdf5
    from collie_pipeline.sections import Files, Split
    from collie_pipeline.sources.tables import read_columns
    from collie_pipeline.weeks import Week

    week, split = Week.parse("2023-01-02"), Split(method="stratified")

    def prepare() -> None:
        rows = read_columns(file, ("user_id", "item_id", "rating", "timestamp"), Files())
        rows = rows.assign(source_row=np.arange(1, len(rows) + 1))
        positives = implicit(clean(rows, week, "snapshot")[0])
        write_hdf5(positives, folder / "all.h5")
        found = folds(folder / "all.h5", split, [week])
        split_hdf5(folder / "all.h5", {n: folder / f"{p}.h5" for n, p in enumerate(PARTS)}, found)

    return prepare


def _original(file: Path, folder: Path) -> Work:
    """Return what its tutorials do with a data frame, and a file for each part."""
    from collie.cross_validation import stratified_split
    from collie.interactions import Interactions
    from collie.utils import (
        convert_to_implicit,
        pandas_df_to_hdf5,
        remove_users_with_fewer_than_n_interactions,
    )

    def prepare() -> None:
        positives = convert_to_implicit(pd.read_csv(file))
        positives = remove_users_with_fewer_than_n_interactions(positives, 5)
        users, items = (pd.factorize(positives[name])[0] for name in ("user_id", "item_id"))
        whole = Interactions(users=users, items=items, max_number_of_samples_to_consider=0)
        for name, part in zip(PARTS, stratified_split(whole, 0.1, 0.1, processes=0), strict=True):
            frame = pd.DataFrame({"user_id": part.mat.row, "item_id": part.mat.col})
            (folder / f"{name}.h5").unlink(missing_ok=True)
            pandas_df_to_hdf5(frame, folder / f"{name}.h5")

    return prepare
