"""A million exact negatives for users as busy as those of MovieLens 100K, beside a plain loop.

The loop draws an item and draws again until the user does not have it, one row at a time, as the
original does; it makes a hundredth of the negatives, and its time is scaled up.

    python benchmarks/sampling.py [FOLDER_WITH_U_DATA]
"""

import sys
import time
from pathlib import Path

import numpy as np

from collie_core.interactions import Interactions

WANTED, REPETITIONS = 1_000_000, 5


def interactions() -> Interactions:
    """Return MovieLens 100K where a folder is given, else a set of its shape."""
    if len(sys.argv) > 1:
        from collie_core.movielens import read_movielens_df

        ratings = read_movielens_df(folder=Path(sys.argv[1]))
        users, items = ratings["user_id"].to_numpy(), ratings["item_id"].to_numpy()
    else:
        rng = np.random.default_rng(0)
        users = (943 * rng.random(100_000) ** 2).astype(np.int64)
        items = (1682 * rng.random(100_000) ** 2).astype(np.int64)
    return Interactions(users=users, items=items, allow_missing_ids=True, seed=0)


def loop(data: Interactions, users: np.ndarray, rng: np.random.Generator) -> None:
    """Draw one negative for each of `users`, one by one."""
    have = [set(row.indices) for row in data.mat.tocsr()]
    for user in users:
        item = rng.integers(data.num_items)
        while item in have[user]:
            item = rng.integers(data.num_items)


def main() -> None:
    """Print both times and their ratio, alternating."""
    data = interactions()
    rng = np.random.default_rng(1)
    ours, theirs = [], []
    for _ in range(REPETITIONS):
        users = data.users[rng.integers(0, len(data), WANTED // 10)]
        began = time.perf_counter()
        data.negative_sampler.sample(users, 10, rng)
        ours.append(time.perf_counter() - began)
        began = time.perf_counter()
        loop(data, users[: WANTED // 100], rng)
        theirs.append(100 * (time.perf_counter() - began))
    mine, plain = np.median(ours), np.median(theirs)
    print(f"1,000,000 exact negatives: {mine:.3f} s ({min(ours):.3f} to {max(ours):.3f})")
    print(f"a plain loop:              {plain:.3f} s, {plain / mine:.0f} times as long")


if __name__ == "__main__":
    main()
