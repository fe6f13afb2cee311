"""What writes files, each as a pair: write version n, and tell which versions a reader finds."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

import dagster as dg
import h5py
import numpy as np
import pandas as pd
import torch
from erasing_writer import erase, erased_version

from collie_core.baselines import Popularity
from collie_core.bundle import load_model
from collie_core.files import replacing
from collie_pipeline.partitions import weekly
from collie_pipeline.preparation import write_hdf5
from collie_pipeline.storage import (
    BundleIO,
    Hdf5IO,
    ParquetIO,
    Trained,
    current,
    publish,
)
from collie_pipeline.storage.io_managers import OnDisk
from collie_pipeline.weeks import Week

WEEKS = [Week.parse(key).key for key in ("2026-01-05", "2026-01-12", "2026-01-19")]
KEY, WEEK = dg.AssetKey(["prepared", "clean"]), WEEKS[0]
PARTITIONS = weekly(Week.parse(WEEKS[0]), Week.parse(WEEKS[-1]))


@dataclass(frozen=True)
class Writer:
    """Writes version 0, 1, 2 … under a folder; `found` returns the one that is there, or None.

    If it `tidies`, writing again removes what a killed process left.
    """

    write: Callable[[Path, int], object]
    found: Callable[[Path], int | None]
    tidies: bool = True


def table(version: int, rows: int = 200) -> pd.DataFrame:
    """Return positives that tell the version: its number of users."""
    users = [f"user-{n % (version + 3)}" for n in range(rows)]
    items = [f"item-{n:04d}" for n in range(rows)]
    when = pd.date_range("2026-01-05", periods=rows, freq="h", tz="UTC").astype(
        "datetime64[us, UTC]"
    )
    return pd.DataFrame({"user_id": users, "item_id": items, "timestamp": when})


def version_of(rows: pd.DataFrame) -> int:
    return rows["user_id"].nunique() - 3


@cache
def _outputs() -> list[dg.OutputContext]:
    """Return contexts, each for one write; slow to make, so once, and before a process forks."""
    spec = dg.AssetSpec(KEY)
    return [
        dg.build_output_context(asset_key=KEY, partition_key=WEEK, asset_spec=spec)
        for _ in range(20)
    ]


@cache
def _input() -> dg.InputContext:
    return dg.build_input_context(
        asset_key=KEY,
        partition_key=WEEK,
        asset_partition_key_range=dg.PartitionKeyRange(WEEK, WEEK),
        asset_partitions_def=PARTITIONS,
    )


def _put(manager: OnDisk, value: object) -> None:
    manager.handle_output(_outputs().pop(), value)


def _get(manager: OnDisk, suffix: str) -> object:
    if not manager.path(KEY, WEEK, suffix).exists():
        return None
    return manager.load_input(_input())


def write_parquet(root: Path, version: int) -> None:
    _put(ParquetIO(root=str(root)), table(version))


def parquet_found(root: Path) -> int | None:
    rows = _get(ParquetIO(root=str(root)), ".parquet")
    return None if rows is None else version_of(rows)


def write_h5(root: Path, version: int) -> None:
    _put(Hdf5IO(root=str(root)), partial(write_hdf5, table(version)))


def h5_found(root: Path) -> int | None:
    path = _get(Hdf5IO(root=str(root)), ".h5")
    if path is None:
        return None
    with h5py.File(path) as file:
        return int(np.max(file["interactions/user_id"][:])) + 1 - 3


def write_bundle(root: Path, version: int) -> None:
    model = Popularity(version + 3, torch.arange(500.0))
    _put(BundleIO(root=str(root)), Trained(model, {"user_id": list("abcdefgh")}))


def bundle_found(root: Path) -> int | None:
    path = _get(BundleIO(root=str(root)), ".bundle")
    return None if path is None else load_model(path).num_users - 3


def write_text(root: Path, version: int) -> None:
    with replacing(root / "checkpoint" / "epoch") as temporary:
        temporary.write_text(str(version) * 1000)


def text_found(root: Path) -> int | None:
    path = root / "checkpoint" / "epoch"
    if not path.exists():
        return None
    text = path.read_text()
    if len(text) != 1000 or len(set(text)) != 1:
        raise ValueError(f"{path} is torn")
    return int(text[0])


def publish_version(root: Path, version: int) -> None:
    bundle = root / "model.bundle"
    root.mkdir(parents=True, exist_ok=True)
    if not bundle.exists() or bundle.stat().st_size != 7000:
        bundle.write_bytes(b"weights" * 1000)
    tables = {"users": table(version), "similar_items": table(version, rows=20)}
    publish(root, tables, bundle, {"week": WEEKS[version]})


def published_version(root: Path) -> int | None:
    serving = current(root)
    if serving is None:
        return None
    if not serving.is_whole():
        raise ValueError(f"{serving.path} is torn")
    found = {version_of(serving.read(n)) for n in ("users", "similar_items")}
    if found != {WEEKS.index(serving.week)}:
        raise ValueError(f"{serving.path} of {serving.week} has tables of versions {found}")
    return found.pop()


WRITERS: Mapping[str, Writer] = {
    "parquet": Writer(write_parquet, parquet_found),
    "hdf5": Writer(write_h5, h5_found),
    "bundle": Writer(write_bundle, bundle_found),
    "checkpoint": Writer(write_text, text_found, tidies=False),
    "publication": Writer(publish_version, published_version),
    "erasure": Writer(erase, erased_version),
}
