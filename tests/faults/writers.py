"""What writes files, each as a pair: write version n, and tell which versions a reader finds."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from pathlib import Path

import dagster as dg
import h5py
import numpy as np
import pandas as pd
import torch
from erasing_writer import erase, erased_version
from export_writers import duckdb_found, export_duckdb, export_vectors, vectors_found

from collie_core.baselines import Popularity
from collie_core.bundle import load_model
from collie_core.checkpoints import read_checkpoint, write_checkpoint
from collie_pipeline.partitions import weekly
from collie_pipeline.preparation import write_hdf5
from collie_pipeline.storage import (
    BundleIO,
    Hdf5IO,
    PageIO,
    ParquetIO,
    Trained,
    collect,
    current,
    prune,
    publications,
    publish,
    read_history,
    rollback,
)
from collie_pipeline.storage.io_managers import OnDisk
from collie_pipeline.weeks import Week

WEEKS = ["2026-01-05", "2026-01-12", "2026-01-19", "2026-01-26"]
KEY, WEEK = dg.AssetKey(["prepared", "clean"]), WEEKS[0]
KEYED = "decided by these settings"
PARTITIONS = weekly(Week.parse(WEEKS[0]), Week.parse(WEEKS[-1]))


@dataclass(frozen=True)
class Writer:
    """Writes version 0, 1, 2 … under a folder; `found` returns the one that is there, or None.

    Parameters
    ----------
    tidies : whether writing again removes what a killed process left.
    repeats : whether a version has the same names and bytes each time.
    begins : whether it may begin with nothing there.
    """

    write: Callable[[Path, int], object]
    found: Callable[[Path], int | None]
    tidies: bool = True
    repeats: bool = True
    begins: bool = True


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
        for _ in range(40)
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


def write_page(root: Path, version: int) -> None:
    _put(PageIO(root=str(root)), f"<p>{version}</p>" * 1000)


def page_found(root: Path) -> int | None:
    page = _get(PageIO(root=str(root)), ".html")
    return None if page is None else int(str(page)[len("<p>")])


def write_state(root: Path, version: int) -> None:
    state = {"epoch": version, "weights": torch.full((500,), float(version))}
    write_checkpoint(root / "checkpoints" / "epoch.ckpt", KEYED, state)


def state_found(root: Path) -> int | None:
    path = root / "checkpoints" / "epoch.ckpt"
    if not path.exists():
        return None
    state = read_checkpoint(path, KEYED)
    if set(state["weights"].tolist()) != {state["epoch"]}:
        raise ValueError(f"{path} is torn")
    return int(state["epoch"])


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


def roll_back(root: Path, version: int) -> None:
    """Publish two weeks, as version 0; let the earlier one serve, as version 1."""
    if not version:
        publish_version(root, 0)
        publish_version(root, 1)
    else:
        rollback(root, publications(root)[0].id)


def rolled_back(root: Path) -> int | None:
    version = published_version(root)
    if version is None:
        return None
    withdrawn = read_history(root).withdrawn
    if version == 0 and withdrawn != (publications(root)[1].id,):
        raise ValueError(f"what was rolled back would serve again: {withdrawn} is withdrawn")
    return 1 - version


def remove_old(root: Path, version: int) -> None:
    """Publish four weeks, as version 0; remove the two that nobody needs, as version 1."""
    if not version:
        for each in range(len(WEEKS)):
            publish_version(root, each)
    else:
        collect(root)
        prune(root, keep=1, keep_days=1, now=datetime.now(UTC) + timedelta(days=9))


def old_ones_left(root: Path) -> int | None:
    there = publications(root)
    if published_version(root) != len(WEEKS) - 1 or not all(each.is_whole() for each in there):
        raise ValueError(f"{root} lost what is to stay")
    return int(len(there) == 2)


WRITERS: Mapping[str, Writer] = {
    "parquet": Writer(write_parquet, parquet_found),
    "hdf5": Writer(write_h5, h5_found),
    "bundle": Writer(write_bundle, bundle_found),
    "page": Writer(write_page, page_found),
    "checkpoint": Writer(write_state, state_found, tidies=False),  # they go with their training
    "publication": Writer(publish_version, published_version),
    "rollback": Writer(roll_back, rolled_back, begins=False, tidies=False),
    "prune": Writer(remove_old, old_ones_left, begins=False),
    "duckdb": Writer(export_duckdb, duckdb_found, repeats=False),
    "vectors": Writer(export_vectors, vectors_found, repeats=False),
    "erasure": Writer(erase, erased_version),
}
