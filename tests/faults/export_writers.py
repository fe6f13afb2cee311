"""What writes exports, of one of two publications: see `writers`."""

import atexit
import shutil
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import numpy as np
import pandas as pd

from collie_core.bundle import save_bundle
from collie_core.interactions import Interactions
from collie_core.model import MatrixFactorizationModel
from collie_pipeline.exports.duckdb_file import DuckDBFile
from collie_pipeline.exports.target import Target
from collie_pipeline.exports.vectors import VectorFolder
from collie_pipeline.storage import Publication, publish

WEEKS = ("2026-01-05", "2026-01-12")


@cache
def _exported() -> list[Publication]:
    """Return two publications to be exported, in a folder that goes when the process ends."""
    home = Path(mkdtemp())
    atexit.register(shutil.rmtree, home)
    home.chmod(0o755)  # for whoever may read and not write
    return [_publication(home, version) for version in range(len(WEEKS))]


def _publication(home: Path, version: int) -> Publication:
    numbers, bundle = np.arange(20), home / "model.bundle"
    train = Interactions(
        users=numbers % 5, items=numbers, num_negative_samples=1, allow_missing_ids=True
    )
    model = MatrixFactorizationModel(train=train, embedding_dim=3)
    ids = {"user_id": [f"u{n}" for n in range(5)], "item_id": [f"i{n}" for n in range(20)]}
    save_bundle(model, bundle, ids)
    rows = pd.DataFrame({"user_id": ["ann"], "rank": [1], "item_id": ["tea"], "score": [0.5]})
    users = rows.assign(source=str(version)).astype({"rank": "int16", "score": "float32"})
    return publish(home, {"users": users}, bundle, {"week": WEEKS[version], "model": "made"})


def _version_in(target: Target, path: Path) -> int | None:
    if not path.exists():
        return None
    held = target.held()
    return [each.id for each in _exported()].index(held.publication)


def export_duckdb(root: Path, version: int) -> None:
    publication = _exported()[version]
    root.mkdir(parents=True, exist_ok=True)
    DuckDBFile(root / "shop.duckdb").put(publication)


def duckdb_found(root: Path) -> int | None:
    return _version_in(DuckDBFile(root / "shop.duckdb"), root / "shop.duckdb")


def export_vectors(root: Path, version: int) -> None:
    VectorFolder(root / "vectors").put(_exported()[version])


def vectors_found(root: Path) -> int | None:
    home = root / "vectors"
    return _version_in(VectorFolder(home), home / "CURRENT")
