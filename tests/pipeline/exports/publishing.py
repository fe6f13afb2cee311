"""Publications whose every row says which of them it is from."""

from pathlib import Path

import numpy as np
import pandas as pd
import torch

from collie_core.bundle import save_bundle
from collie_core.interactions import Interactions
from collie_core.model import MatrixFactorizationModel
from collie_core.scorer import Bundled
from collie_pipeline.storage import Publication, publish

ODD = ['"quoted", and', "=1+1", "ü'; DROP TABLE users; --", "\\N", "NULL", "a\\b", "<b>"]
ITEMS = 5


def model_of(users: int) -> MatrixFactorizationModel:
    torch.manual_seed(0)
    pairs = np.arange(users * 2)
    train = Interactions(
        users=pairs // 2, items=pairs % ITEMS, num_negative_samples=1, allow_missing_ids=True
    )
    model = MatrixFactorizationModel(train=train, embedding_dim=3)
    with torch.no_grad():
        model.item_biases.weight.add_(torch.arange(ITEMS)[:, None])
    return model


def lists(name: str, users: int, k: int = 2) -> dict[str, pd.DataFrame]:
    """Return tables of `users` lists, of whom the first have odd ids and the last no list."""
    ids = [*ODD, *(f"u{n}" for n in range(users))][:users]
    table = pd.DataFrame(
        {
            "user_id": np.repeat(ids, k),
            "rank": np.tile(np.arange(1, k + 1, dtype=np.int16), users),
            "item_id": [f"{name} {n % 7}" for n in range(users * k)],
            "score": np.linspace(1, 0, users * k, dtype=np.float32),
            "source": "champion",
        }
    )
    short = pd.DataFrame(
        {"user_id": ["zz"], "rank": [0], "item_id": [None], "score": [np.nan]}
    ).assign(source="too_few_candidates")
    similar = pd.DataFrame(
        {"item_id": ["a"], "rank": [1], "similar_item_id": [name], "score": [0.5]}
    )
    return {
        "users": pd.concat([table, short.astype(table.dtypes.to_dict())], ignore_index=True),
        "similar_items": similar.astype({"rank": "int16", "score": "float32"}),
    }


def published(root: Path, week: str, users: int = 20, model: Bundled | None = None) -> Publication:
    """Publish tables that name `week` in every row; `new_items` is not made."""
    bundle = root / f"{week}.bundle"
    bundle.parent.mkdir(parents=True, exist_ok=True)
    made = model_of(20) if model is None else model
    ids = {
        "user_id": [f"u{n}" for n in range(made.num_users)],
        "item_id": [f"i{n}" for n in range(made.num_items)],
    }
    save_bundle(made, bundle, ids)
    return publish(root, lists(week, users), bundle, {"week": week, "model": "made", "k": [1, "ü"]})
