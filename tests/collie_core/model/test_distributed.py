"""Several processes that train one model, for real, on the CPU."""

import os
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch
from torch import distributed, multiprocessing

from collie_core.interactions import (
    HDF5InteractionsDataLoader,
    Interactions,
    InteractionsDataLoader,
)
from collie_core.model import CollieTrainer, MatrixFactorizationModel
from collie_core.utils import pandas_df_to_hdf5

QUIET: dict[str, Any] = {
    "logger": False,
    "enable_progress_bar": False,
    "enable_checkpointing": False,
    "enable_model_summary": False,
    "accelerator": "cpu",
}
pytestmark = pytest.mark.slow  # starting processes takes seconds


def numbered(folder: Path, kind: str, rows: int) -> Any:
    """Return a loader of `rows` users, each with an item of their own, 3 a batch."""
    numbers = list(range(rows))
    options = {"batch_size": 3, "shuffle": True, "num_workers": 0, "num_negative_samples": 1}
    if kind == "memory":
        return InteractionsDataLoader(
            Interactions(users=numbers, items=numbers, num_negative_samples=1, seed=0),
            **{k: v for k, v in options.items() if k != "num_negative_samples"},
        )
    path = folder / "rows.h5"
    if not path.exists():
        pandas_df_to_hdf5(pd.DataFrame({"user_id": numbers, "item_id": numbers}), path)
    return HDF5InteractionsDataLoader(hdf5_path=path, seed=0, **options)


def users_of(loader: Any) -> list[list[int]]:
    return [users.tolist() for (users, _), _ in loader]


def process(rank: int, count: int, folder: Path, kind: str, rows: int) -> None:
    os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "0"}
    store = distributed.FileStore(str(folder / "store"), count)
    distributed.init_process_group("gloo", store=store, rank=rank, world_size=count)
    loader = numbered(folder, kind, rows)
    batches = users_of(loader)
    torch.save((len(loader), batches), folder / f"{rank}.pt")
    distributed.barrier()  # who leaves early hangs up on those who are still connecting
    distributed.destroy_process_group()


@pytest.mark.parametrize(("kind", "rows"), [("memory", 4), ("hdf5", 10)])
def test_processes_share_an_epoch_evenly(tmp_path: Path, kind: str, rows: int) -> None:
    alone = users_of(numbered(tmp_path, kind, rows))
    multiprocessing.spawn(process, (3, tmp_path, kind, rows), nprocs=3)  # type: ignore[no-untyped-call]
    shares = [torch.load(tmp_path / f"{rank}.pt") for rank in range(3)]
    assert {length for length, _ in shares} == {len(batches) for _, batches in shares}
    together = sorted(batch for _, batches in shares for batch in batches)
    padding = -len(alone) % 3
    assert together == sorted([*alone, *(alone * 3)[:padding]])


def test_lightning_trains_in_two_processes(tiny: Interactions) -> None:
    torch.manual_seed(0)
    model = MatrixFactorizationModel(train=tiny, val=tiny, embedding_dim=4, lr=0.1)
    before = model.item_embeddings.weight.detach().clone()
    trainer = CollieTrainer(model, max_epochs=2, devices=2, strategy="ddp_fork", **QUIET)
    trainer.fit(model)
    assert trainer.world_size == 2
    assert not torch.equal(model.item_embeddings.weight, before)
