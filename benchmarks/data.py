"""The data sets of the benchmarks, as NumPy files that every side can read.

`zipf-5m` and the like are generated: distinct pairs of 138,000 users x 27,000 items for each five
million, popular as in Zipf's law. The MovieLens sets are read from `$COLLIE_BENCH_DATA`.
"""

import os
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

Arrays = Mapping[str, npt.NDArray]
USERS, ITEMS, ROWS = 138_000, 27_000, 5_000_000
RATED, RELEVANT = 0.2, 10  # share of pairs held out; items to find for each user


def folder() -> Path:
    """Return where the files are kept: a folder outside the repository."""
    root = os.environ.get("COLLIE_BENCH_CACHE", Path.home() / ".cache" / "collie" / "benchmarks")
    return Path(root)


def missing_reason(name: str) -> str | None:
    """Return why a data set cannot be had, or None if it can."""
    if name not in FOLDERS or (source() / name).is_dir():
        return None
    return f"no data: set COLLIE_BENCH_DATA to the folder that has {name}"


def source() -> Path:
    """Return the folder with the sets that are not generated."""
    return Path(os.environ.get("COLLIE_BENCH_DATA", "../shared/data"))


def made(name: str) -> Path:
    """Return the file of a data set, which is made where it is not there yet."""
    path = folder() / f"{name}.npz"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        np.savez(path, **(FOLDERS[name]() if name in FOLDERS else generated(name)))
    return path


def generated(name: str) -> Arrays:
    """Return what a name such as "zipf-5m" or "factors" asks for."""
    return factors() if name == "factors" else zipf(float(name.removeprefix("zipf-")[:-1]))


def zipf(millions: float) -> Arrays:
    """Return distinct pairs in random order, each user with at least 5; a fifth is for the test."""
    rng = np.random.default_rng(0)
    users = round(USERS * millions * 1e6 / ROWS)
    activity = 1 / (np.arange(users) + 20.0) ** 0.7
    counts = np.maximum(5, activity / activity.sum() * millions * 1e6).astype(int)
    popularity = np.cumsum(1 / (np.arange(ITEMS) + 10.0) ** 0.9)
    drawn = rng.random(int(counts.sum() * 1.3)) * popularity[-1]
    items = np.searchsorted(popularity, drawn).astype(np.int64)
    owners = np.repeat(np.arange(users), (counts * 1.3).astype(int) + 1)[: len(items)]
    pairs = rng.permutation(np.unique(owners * ITEMS + items[: len(owners)]))
    user_ids = np.unique(pairs // ITEMS, return_inverse=True)[1]
    item_ids = np.unique(pairs % ITEMS, return_inverse=True)[1]
    return with_test(user_ids, item_ids, rng.random(len(pairs)) < RATED)


def factors() -> Arrays:
    """Return factors of 10,000 users x 50,000 items in 64 dimensions."""
    rng = np.random.default_rng(0)
    shapes = {"user_factors": (10_000, 64), "item_factors": (50_000, 64)}
    return {name: rng.standard_normal(shape, dtype=np.float32) for name, shape in shapes.items()}


def ml_100k() -> Arrays:
    """Return all ratings of MovieLens 100K as pairs."""
    rows = np.loadtxt(source() / "ml-100k" / "u.data", dtype=np.int64)
    is_test = np.random.default_rng(0).random(len(rows)) < RATED
    return with_test(rows[:, 0] - 1, rows[:, 1] - 1, is_test)


def ml_1m_pairs() -> Arrays:
    """Return the pairs of MovieLens 1M with their fixed split, validation in neither part."""
    import pyarrow.parquet as pq  # only this set needs it

    table = pq.read_table(source() / "ml-1m-pairs" / "interactions.parquet").to_pandas()
    table = table[table["split"] != "validation"]
    is_test = (table["split"] == "test").to_numpy()
    return with_test(table["user_id"].to_numpy(), table["item_id"].to_numpy(), is_test)


def with_test(users: npt.NDArray, items: npt.NDArray, is_test: npt.NDArray) -> Arrays:
    """Return all pairs, and those of both parts, as int32."""
    parts = {"": slice(None), "train_": ~is_test, "test_": is_test}
    return {
        f"{part}{name}": ids[rows].astype(np.int32)
        for part, rows in parts.items()
        for name, ids in (("users", users), ("items", items))
    }


FOLDERS: Mapping[str, Callable[[], Arrays]] = {"ml-100k": ml_100k, "ml-1m-pairs": ml_1m_pairs}
