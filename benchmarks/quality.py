"""How good each model is on MovieLens 100K, over several random splits by user.

    python -m benchmarks.quality FOLDER_WITH_U_DATA [SPLITS] [liked | all]

`liked`: ratings of 4 and 5 by users with at least 5 of them, 80/10/10 by user, MAP@10. `all`: all
ratings, 75/25 by user, nDCG@10. What a user has outside the test is no candidate in it. Epochs,
and the settings of all models but ours, are chosen on each split's validation, which with `all` is
a part of the 75 %, and all models are fitted again on the whole of it.

At the end come the means over the splits, and for each model that of ours less it, with its paired
bootstrap interval over users: of each the mean over the splits, which share their users.
"""

import sys
import time
from collections.abc import Callable
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
import torch

from benchmarks import data, peers
from benchmarks.harness import Side
from benchmarks.sides.factors import Factors
from collie_core.baselines import EASE, ItemKNN, Popularity
from collie_core.cross_validation import stratified_folds
from collie_core.interactions import Interactions, InteractionsDataLoader
from collie_core.metrics import compare, evaluate_per_user
from collie_core.model import MatrixFactorizationModel
from collie_core.movielens import read_movielens_df
from collie_core.scorer import Scorer
from collie_core.train import fit
from collie_core.utils import convert_to_implicit, remove_users_with_fewer_than_n_interactions
from collie_pipeline.settings import Settings

OURS = "matrix_factorization"
METRICS = {"liked": "mapk", "all": "ndcg"}
IDS = ("users", "items")
SHARES = {"liked": (0.1, 0.1), "all": (0.08, 0.25)}  # of validation and of test
TRIED: dict[str, tuple[Any, dict[str, tuple[float, ...]]]] = {
    "popularity": (Popularity, {}),
    "item_knn": (ItemKNN, {"neighbours": (50, 100, 200, 400), "shrinkage": (0.0, 10.0)}),
    "ease": (EASE, {"regularization": (50.0, 100.0, 200.0, 300.0, 500.0, 800.0)}),
}


class Split:
    """The data of one split.

    Parameters
    ----------
    users, items : of all pairs, numbered from 0.
    seed : of the split, and of all that is drawn.
    protocol : "liked" or "all".
    """

    def __init__(self, users: Any, items: Any, seed: int, protocol: str) -> None:
        folds = stratified_folds(users, *SHARES[protocol], seed)
        self.users, self.items, self.seed, self.metric = users, items, seed, METRICS[protocol]
        shape = {"num_users": users.max() + 1, "num_items": items.max() + 1, "seed": seed}

        def rows(*parts: int) -> Interactions:
            chosen = np.isin(folds, parts)
            return Interactions(
                users=users[chosen],
                items=items[chosen],
                allow_missing_ids=True,
                num_negative_samples=0,
                **shape,
            )

        self.train, self.validation, self.test = rows(0), rows(1), rows(2)
        self.seen = rows(0, 1)
        self.last = self.seen if protocol == "all" else self.train  # what is fitted in the end

    def arrays(self) -> dict[str, Any]:
        """Return users and items of all and of each part, for a peer."""
        parts = {"train": self.train, "validation": self.validation, "last": self.last}
        found = {f"{name}_{ids}": getattr(part, ids) for name, part in parts.items() for ids in IDS}
        return {"users": self.users, "items": self.items, **found}

    def validated(self, scorer: Scorer) -> float:
        """Return the metric of the validation."""
        return float(self._judged(scorer, self.validation, self.train).mean())

    def tested(self, scorer: Scorer) -> "pd.Series[float]":
        """Return the metric of the test by user."""
        return self._judged(scorer, self.test, self.seen)

    def _judged(self, scorer: Scorer, found: Interactions, had: Interactions) -> Any:
        table = evaluate_per_user(scorer, found, exclude=had, metrics=(self.metric,))
        return table.set_index("user")[self.metric]


def positives(folder: Path, protocol: str = "liked") -> tuple[np.ndarray, np.ndarray]:
    """Return users and items of the ratings that count, numbered from 0."""
    rows = read_movielens_df(folder=folder)
    if protocol == "liked":
        rows = convert_to_implicit(rows, min_rating_to_keep=4)
        rows = remove_users_with_fewer_than_n_interactions(rows, min_num_of_interactions=5)
    users, items = (pd.factorize(rows[name], sort=True)[0] for name in ("user_id", "item_id"))
    return users, items


def factorized(split: Split) -> Scorer:
    """Return matrix factorization with the pipeline's default settings."""
    options = Settings.model_fields["models"].default.matrix_factorization

    def made(train: Interactions) -> MatrixFactorizationModel:
        torch.manual_seed(split.seed)
        loader = InteractionsDataLoader(train, shuffle=True, num_workers=0, **options.loading)
        return MatrixFactorizationModel(
            train=loader, **options.arguments_of(MatrixFactorizationModel)
        )

    model = made(split.train)
    history = fit(
        model, options.epochs, split.validation, seen=split.train, patience=options.patience
    )
    if split.last is not split.train:
        model = made(split.last)
        fit(model, history.best_epoch)
    return model


def tried(kind: Any, values: dict[str, tuple[float, ...]], split: Split) -> Scorer:
    """Return a baseline with the settings that are best on validation."""
    options = [dict(zip(values, each, strict=True)) for each in product(*values.values())]

    def value(chosen: dict[str, float]) -> float:
        return split.validated(kind.fit(split.train, **chosen))

    found: Scorer = kind.fit(split.last, **max(options, key=value))
    return found


def alternating(split: Split) -> Scorer:
    """Return implicit's ALS, fitted in its own environment; see `sides/implicits.py`."""
    data.folder().mkdir(parents=True, exist_ok=True)  # where the side's log goes
    with TemporaryDirectory() as folder:
        path = Path(folder, "split.npz")
        np.savez(path, **split.arrays())
        with Side("als", "factorized", path, threads=torch.get_num_threads()) as side:
            side.run()
        return Factors(path.with_suffix(".factors.npz"))


def makers() -> dict[str, Callable[[Split], Scorer]]:
    """Return what makes each model."""

    def of(kind: Any, values: Any) -> Callable[[Split], Scorer]:
        return lambda split: tried(kind, values, split)

    made = {name: of(*each) for name, each in TRIED.items()}
    if missing := peers.missing_reason("implicit"):
        print(f"als: {missing}")
    else:
        made["als"] = alternating
    return {**made, OURS: factorized}


def main() -> None:
    """Print the scores of each split, their means, and how ours differs."""
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    folder, *rest = sys.argv[1:]
    count, protocol = int(rest[0]) if rest else 5, rest[1] if len(rest) > 1 else "liked"
    users, items = positives(Path(folder), protocol)
    tables = []
    made_by = makers()
    for seed in range(count):
        began, split = time.perf_counter(), Split(users, items, seed, protocol)
        found = {name: split.tested(make(split)) for name, make in made_by.items()}
        tables.append(pd.DataFrame(found))
        scores = "  ".join(f"{name} {score:.4f}" for name, score in tables[-1].mean().items())
        print(f"split {seed}  {scores}  {time.perf_counter() - began:.1f} s", flush=True)
    print(pd.DataFrame([each.mean() for each in tables]).agg(["mean", "std"]).round(4).to_string())
    print_differences(pd.concat(tables).groupby(level="user").mean())


def print_differences(by_user: pd.DataFrame) -> None:
    """Print how ours differs from each other model, of whose values `by_user` has a column."""
    for name in by_user.columns.drop(OURS):
        row = compare(by_user[OURS].to_numpy(), by_user[name].to_numpy()).iloc[0]
        difference, low, high = row["difference"], row["low"], row["high"]
        ratio = row["a"] / row["b"]
        print(f"{OURS} - {name}: {difference:+.4f} ({low:+.4f}..{high:+.4f}), {ratio:.3f} of it")


if __name__ == "__main__":
    main()
