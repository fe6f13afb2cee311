"""What decides the weights a training ends with, as one text: the key of its checkpoints."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pandas as pd
import torch

from collie_core.files import sha256
from collie_pipeline.code import code_version
from collie_pipeline.ingredients import Ingredients

CODE = ("collie_core", "collie_pipeline/ingredients.py", "collie_pipeline/training.py")


def inputs_of(name: str, given: Ingredients) -> str:
    """Return a hash of all that decides the training of `name`: settings, code and data."""
    settings = given.settings
    family = name.partition("/")[0]
    inputs = {
        "name": name,
        "settings": getattr(settings.models, family).model_dump(mode="json"),
        "seed": settings.seed,
        "k": settings.evaluation.k,
        "epochs": given.epochs.get(name),
        "code": [code_version(*CODE), torch.__version__, given.device],
        "files": [_digest(each) for each in (given.train, given.validation, given.previous)],
        "warm": _warm(name, given),
        "features": None if given.features is None else _table_digest(given.features),
    }
    return hashlib.sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest()


def _warm(name: str, given: Ingredients) -> list[Any] | None:
    path = given.warm.get(name)
    return None if path is None else [sha256(path), given.settings.models.warm_shrink]


def _digest(path: Path | None) -> str | None:
    return None if path is None else sha256(path)


def _table_digest(table: pd.DataFrame) -> str:
    rows = pd.util.hash_pandas_object(table, index=False).to_numpy()
    columns = ",".join(map(str, table.columns))
    return hashlib.sha256(columns.encode() + rows.tobytes()).hexdigest()
