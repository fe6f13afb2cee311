"""MAP@10 of each model on MovieLens 100K, over several random splits by user.

Ratings of 4 and 5 by users with at least 5 of them, split 80/10/10 by user; what a user has in
training and validation is no candidate in the test. The number of epochs is chosen on validation.

    python benchmarks/quality.py FOLDER_WITH_U_DATA [SPLITS]
"""

import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from collie_core.baselines import EASE, ItemKNN, Popularity
from collie_core.cross_validation import stratified_folds
from collie_core.interactions import Interactions, InteractionsDataLoader
from collie_core.metrics import evaluate_per_user
from collie_core.model import MatrixFactorizationModel
from collie_core.movielens import read_movielens_df
from collie_core.scorer import Scorer
from collie_core.train import fit
from collie_core.utils import convert_to_implicit, remove_users_with_fewer_than_n_interactions
from collie_pipeline.settings import Settings


def positives(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """Return users and items of the ratings that count, numbered from 0."""
    liked = convert_to_implicit(read_movielens_df(folder=folder), min_rating_to_keep=4)
    liked = remove_users_with_fewer_than_n_interactions(liked, min_num_of_interactions=5)
    users, items = (pd.factorize(liked[name], sort=True)[0] for name in ("user_id", "item_id"))
    return users, items


def factorized(train: Interactions, validation: Interactions, seed: int) -> Scorer:
    """Return matrix factorization with the pipeline's default settings."""
    options = Settings.model_fields["models"].default.matrix_factorization
    torch.manual_seed(seed)
    model = MatrixFactorizationModel(
        train=InteractionsDataLoader(train, shuffle=True, num_workers=0, **options.loading),
        lr_scheduler_func=None,
        **options.arguments_of(MatrixFactorizationModel),
    )
    fit(model, options.epochs, validation, seen=train, patience=options.patience)
    return model


def split_scores(users: np.ndarray, items: np.ndarray, seed: int) -> dict[str, float]:
    """Return MAP@10 of each model on the split that `seed` draws."""
    folds = stratified_folds(users, 0.1, 0.1, seed)
    shape = {"num_users": users.max() + 1, "num_items": items.max() + 1, "allow_missing_ids": True}
    train, validation, test = (
        Interactions(users=users[folds == fold], items=items[folds == fold], seed=seed, **shape)
        for fold in range(3)
    )
    seen = train.mat.tocsr() + validation.mat.tocsr()
    models: dict[str, Scorer] = {
        "popularity": Popularity.fit(train),
        "item_knn": ItemKNN.fit(train),
        "ease": EASE.fit(train),
        "matrix_factorization": factorized(train, validation, seed),
    }
    return {
        name: float(evaluate_per_user(model, test, exclude=seen, metrics=("mapk",))["mapk"].mean())
        for name, model in models.items()
    }


def main() -> None:
    """Print the scores of each split, and their means."""
    folder, splits = Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 5
    users, items = positives(folder)
    rows = []
    for seed in range(splits):
        began = time.perf_counter()
        rows.append(split_scores(users, items, seed))
        scores = "  ".join(f"{name} {score:.4f}" for name, score in rows[-1].items())
        print(f"split {seed}  {scores}  {time.perf_counter() - began:.1f} s", flush=True)
    print(pd.DataFrame(rows).agg(["mean", "std"]).round(4).to_string())


if __name__ == "__main__":
    main()
