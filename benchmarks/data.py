"""The data sets of the benchmarks, as NumPy files that every side can read.

`zipf-5m` and the like are generated: distinct pairs of 138,000 users x 27,000 items for each five
million, popular as in Zipf's law; in `rows-5m` and the like the users are as many for any number of
rows. The MovieLens sets are read from `$COLLIE_BENCH_DATA`.

A file has columns `users` and `items` of all pairs, of those to train on (`train_users`), to find
(`test_users`), and to leave out of a ranking (`seen_users`): all but the last.
"""

import os
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

Arrays = Mapping[str, npt.NDArray]
USERS, ITEMS, ROWS = 138_000, 27_000, 5_000_000
HELD_OUT = 0.2  # share of the pairs, where there is no split by user
FORMAT = 2  # of the files: another number makes them anew
TRAIN, VALIDATION, TEST = range(3)


def folder() -> Path:
    """Return where the files are kept: a folder outside the repository."""
    root = os.environ.get("COLLIE_BENCH_CACHE", Path.home() / ".cache" / "collie" / "benchmarks")
    return Path(root, f"format-{FORMAT}")


def missing_reason(name: str) -> str | None:
    """Return why a data set cannot be had, or None if it can."""
    if name not in FOLDERS or (source() / FOLDERS[name][0]).is_dir():
        return None
    return f"no data: set COLLIE_BENCH_DATA to the folder that has {FOLDERS[name][0]}"


def source() -> Path:
    """Return the folder with the sets that are not generated."""
    return Path(os.environ.get("COLLIE_BENCH_DATA", "../shared/data"))


def made(name: str) -> Path:
    """Return the file of a data set, which is made where it is not there yet."""
    path = folder() / f"{name}.npz"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        np.savez(path, **(FOLDERS[name][1]() if name in FOLDERS else generated(name)))
    return path


def rows(name: str) -> int:
    """Return how many pairs a data set has, train and test together."""
    with np.load(made(name)) as arrays:
        return len(arrays["users"])


def generated(name: str) -> Arrays:
    """Return what a name such as "zipf-5m", "rows-5m" or "factors" asks for."""
    if name == "factors":
        return factors()
    kind, _, size = name.partition("-")
    millions = float(size.removesuffix("m"))
    return zipf(millions, USERS if kind == "rows" else round(USERS * millions * 1e6 / ROWS))


def zipf(millions: float, users: int) -> Arrays:
    """Return distinct pairs in random order, at least 5 drawn a user; a fifth is for the test."""
    rng = np.random.default_rng(0)
    activity = 1 / (np.arange(users) + 20.0) ** 0.7
    counts = np.maximum(5, activity / activity.sum() * millions * 1e6).astype(int)
    popularity = np.cumsum(1 / (np.arange(ITEMS) + 10.0) ** 0.9)
    drawn = rng.random(int(counts.sum() * 1.3)) * popularity[-1]
    items = np.searchsorted(popularity, drawn).astype(np.int64)
    owners = np.repeat(np.arange(users), (counts * 1.3).astype(int) + 1)[: len(items)]
    pairs = rng.permutation(np.unique(owners * ITEMS + items[: len(owners)]))
    user_ids = np.unique(pairs // ITEMS, return_inverse=True)[1]
    item_ids = np.unique(pairs % ITEMS, return_inverse=True)[1]
    return parted(user_ids, item_ids, _held_out(rng, len(pairs)))


def factors() -> Arrays:
    """Return factors of 10,000 users x 50,000 items in 64 dimensions."""
    rng = np.random.default_rng(0)
    shapes = {"user_factors": (10_000, 64), "item_factors": (50_000, 64)}
    return {name: rng.standard_normal(shape, dtype=np.float32) for name, shape in shapes.items()}


def ml_100k() -> Arrays:
    """Return all ratings of MovieLens 100K as pairs."""
    rated = np.loadtxt(source() / "ml-100k" / "u.data", dtype=np.int64)
    folds = _held_out(np.random.default_rng(0), len(rated))
    return parted(rated[:, 0] - 1, rated[:, 1] - 1, folds)


def ml_100k_liked() -> Arrays:
    """Return its ratings of 4 and 5 by users with at least 5 of them, split 80/10/10 by user."""
    from collie_core.cross_validation import stratified_folds

    rated = np.loadtxt(source() / "ml-100k" / "u.data", dtype=np.int64)
    liked = rated[rated[:, 2] >= 4]
    liked = liked[np.bincount(liked[:, 0])[liked[:, 0]] >= 5]
    users, items = (np.unique(liked[:, column], return_inverse=True)[1] for column in (0, 1))
    return parted(users, items, stratified_folds(users, 0.1, 0.1, seed=0))


def ml_1m_pairs() -> Arrays:
    """Return the pairs of MovieLens 1M with their fixed split."""
    import pyarrow.parquet as pq  # only this set needs it

    table = pq.read_table(source() / "ml-1m-pairs" / "interactions.parquet").to_pandas()
    folds = table["split"].map({"train": TRAIN, "validation": VALIDATION, "test": TEST})
    return parted(table["user_id"].to_numpy(), table["item_id"].to_numpy(), folds.to_numpy())


def _held_out(rng: np.random.Generator, count: int) -> npt.NDArray:
    return np.where(rng.random(count) < HELD_OUT, TEST, TRAIN)


def parted(users: npt.NDArray, items: npt.NDArray, folds: npt.NDArray) -> Arrays:
    """Return all pairs, and those of each part, as int32."""
    parts = {"": folds >= 0, "train_": folds == TRAIN, "test_": folds == TEST}
    parts["seen_"] = folds != TEST
    return {
        f"{part}{name}": ids[rows].astype(np.int32)
        for part, rows in parts.items()
        for name, ids in (("users", users), ("items", items))
    }


FOLDERS: Mapping[str, tuple[str, Callable[[], Arrays]]] = {
    "ml-100k": ("ml-100k", ml_100k),
    "ml-100k-liked": ("ml-100k", ml_100k_liked),
    "ml-1m-pairs": ("ml-1m-pairs", ml_1m_pairs),
}
