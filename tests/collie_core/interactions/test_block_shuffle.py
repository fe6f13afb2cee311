import multiprocessing
import pickle
from itertools import pairwise
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collie_core.interactions import HDF5Interactions, HDF5InteractionsDataLoader
from collie_core.interactions.batches import BlockSampler, generator
from collie_core.interactions.ids import Ids
from collie_core.utils import pandas_df_to_hdf5

ROWS, BATCH, BUFFER = 19_968, 32, 4_992  # four full buffers of 78 blocks
SMALL: Any = {"batch_size": BATCH, "shuffle_buffer_rows": BUFFER, "shuffle": True, "seed": 3}
LONE: Any = SMALL | {"num_workers": 0, "num_negative_samples": 1}


class Counted(HDF5Interactions):
    """Interactions that keep what they read from the file."""

    reads: list[tuple[str, int, int]]

    def _ids(self, name: str, start: int, size: int, count: int) -> Ids:
        self.reads.append((name, start, size))
        return super()._ids(name, start, size, count)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file in sorted order, whose item is the number of its row."""
    path = tmp_path_factory.mktemp("sorted") / "rows.h5"
    rows = np.arange(ROWS)
    pandas_df_to_hdf5(pd.DataFrame({"user_id": rows // 7, "item_id": rows}), path)
    return path


def items_of(loader: Any) -> list[list[int]]:
    return [items.tolist() for (_, items), _ in loader]


def rows_of(sampler: BlockSampler) -> list[list[int]]:
    """Return the row numbers of each batch, by writing out its buffer."""
    batches: list[list[int]] = []
    for batch in sampler:
        rows: Any = batch.rows
        buffer = [row for start, size in rows.pieces for row in range(start, start + size)]
        mixed = generator(*rows.path).permutation(buffer)
        batches.append(mixed[rows.start : rows.stop].tolist())
    return batches


@given(st.integers(0, 300), st.integers(1, 12), st.integers(1, 150), st.booleans())
def test_an_epoch_has_each_row_once_and_only_its_end_is_short(
    num_rows: int, batch_size: int, buffer_rows: int, drop_last: bool
) -> None:
    sampler = BlockSampler(num_rows, batch_size, 0, drop_last, buffer_rows)
    batches = rows_of(sampler)
    rows = [row for batch in batches for row in batch]
    kept = num_rows - num_rows % batch_size if drop_last else num_rows
    assert (len(rows), len(set(rows)), len(batches)) == (kept, kept, len(sampler))
    assert set(rows) <= set(range(num_rows))
    assert {len(batch) for batch in batches[:-1]} <= {batch_size}


@given(st.integers(1, 300), st.integers(1, 12), st.integers(1, 150))
def test_a_buffer_is_no_larger_than_asked_unless_a_batch_is(
    num_rows: int, batch_size: int, buffer_rows: int
) -> None:
    for batch in BlockSampler(num_rows, batch_size, 0, buffer_rows=buffer_rows):
        rows: Any = batch.rows
        assert sum(size for _, size in rows.pieces) <= max(buffer_rows, batch_size)


def test_all_buffers_are_filled_alike() -> None:
    sampler = BlockSampler(130 * 16, 2, 0, buffer_rows=64 * 16)
    sizes = {sum(size for _, size in batch.rows.pieces) for batch in sampler}  # type: ignore[misc, union-attr]
    assert max(sizes) - min(sizes) <= sampler.block_rows


def test_epochs_differ_and_repeat_with_the_seed() -> None:
    one, other, third = (BlockSampler(500, 5, seed, buffer_rows=100) for seed in (3, 3, 4))
    epochs = [rows_of(one) for _ in range(3)]
    assert epochs[0] != epochs[1] != epochs[2]
    assert [rows_of(other) for _ in range(3)] == epochs
    assert rows_of(third) != epochs[0]


def test_every_buffer_of_every_epoch_is_mixed_in_its_own_way() -> None:
    sampler = BlockSampler(500, 5, 3, buffer_rows=100)
    paths = [batch.rows.path for _ in range(3) for batch in sampler]  # type: ignore[misc, union-attr]
    assert len(set(paths)) == 3 * 5


def test_an_epoch_can_be_set_on_the_loader(path: Path) -> None:
    loader = HDF5InteractionsDataLoader(hdf5_path=path, **LONE)
    third = [items_of(loader) for _ in range(3)][2]
    loader.hdf5_sampler.set_epoch(2)
    assert items_of(loader) == third


@pytest.mark.parametrize("drop_last", [False, True])
def test_the_loader_gives_each_row_once_with_its_user(path: Path, drop_last: bool) -> None:
    loader = HDF5InteractionsDataLoader(
        hdf5_path=path, **LONE | {"batch_size": 80}, drop_last=drop_last
    )
    batches = [(users, items) for (users, items), _ in loader]
    users, items = (np.concatenate(column) for column in zip(*batches, strict=True))
    assert (users == items // 7).all()
    assert len(set(items.tolist())) == len(items) == (ROWS - ROWS % 80 if drop_last else ROWS)
    assert len(batches) == len(loader)


def test_a_sorted_file_is_mixed_within_each_buffer(path: Path) -> None:
    items = np.concatenate(items_of(HDF5InteractionsDataLoader(hdf5_path=path, **LONE)))
    buffers = np.array_split(items, ROWS // BUFFER)
    correlations = [np.corrcoef(np.arange(len(buffer)), buffer)[0, 1] for buffer in buffers]
    assert np.abs(correlations).max() < 0.057  # 4 standard deviations of independent order
    assert all(np.ptp(buffer) > ROWS * 0.9 for buffer in buffers)


def test_neighbours_in_the_file_are_rarely_in_one_batch(path: Path) -> None:
    batches = items_of(HDF5InteractionsDataLoader(hdf5_path=path, **LONE))
    together = sum(b - a == 1 for batch in batches for a, b in pairwise(sorted(batch)))
    assert together < ROWS * 2 * BATCH / BUFFER


def test_a_file_that_fits_the_buffer_is_shuffled_as_a_whole(path: Path) -> None:
    loader = HDF5InteractionsDataLoader(hdf5_path=path, **LONE | {"shuffle_buffer_rows": 1 << 20})
    items = np.concatenate(items_of(loader))
    assert abs(np.corrcoef(np.arange(ROWS), items)[0, 1]) < 0.03


def test_each_block_is_read_once_an_epoch_and_in_the_order_of_the_file(path: Path) -> None:
    data = Counted(path, seed=3, num_negative_samples=1)
    data.reads = []
    options = LONE.keys() - {"seed", "num_negative_samples"}
    loader = HDF5InteractionsDataLoader(data, **{name: LONE[name] for name in options})
    for _ in range(2):
        data.reads.clear()
        items_of(loader)
        starts = [start for name, start, _ in data.reads if name == "user_id"]
        block_rows = BUFFER // 64 // BATCH * BATCH
        assert sorted(starts) == list(range(0, ROWS, block_rows))
        assert len(data.reads) == 2 * len(starts)
        assert sum(b < a for a, b in pairwise(starts)) <= ROWS // BUFFER  # once a buffer


@pytest.mark.filterwarnings("ignore:This DataLoader will create 3 worker")
@pytest.mark.parametrize(("num_workers", "persistent"), [(1, False), (1, True), (3, True)])
def test_batches_do_not_depend_on_workers(path: Path, num_workers: int, persistent: bool) -> None:
    options = LONE | {"batch_size": 500}
    alone = HDF5InteractionsDataLoader(hdf5_path=path, **options)
    options |= {"num_workers": num_workers, "persistent_workers": persistent}
    together = HDF5InteractionsDataLoader(hdf5_path=path, **options)
    for _ in range(2):
        for one, other in zip(alone, together, strict=True):
            assert [values.tolist() for values in (*one[0], one[1])] == [
                values.tolist() for values in (*other[0], other[1])
            ]


@pytest.mark.slow  # torch is imported again
def test_batches_are_the_same_in_a_spawned_worker(path: Path) -> None:
    data = HDF5Interactions(path, seed=3, num_negative_samples=1)
    data[(0, 1)]  # an open file must not travel
    options: Any = {"shuffle": True, "batch_size": 500, "shuffle_buffer_rows": BUFFER}
    alone = HDF5InteractionsDataLoader(data, num_workers=0, **options)
    spawn = multiprocessing.get_context("spawn")
    spawned = HDF5InteractionsDataLoader(
        data, num_workers=1, multiprocessing_context=spawn, **options
    )
    assert items_of(spawned) == items_of(alone)


def test_an_open_file_and_a_full_buffer_are_not_pickled(path: Path) -> None:
    loader = HDF5InteractionsDataLoader(hdf5_path=path, **LONE)
    next(iter(loader))
    filled: Any = loader.dataset
    copied = pickle.loads(pickle.dumps(filled))  # noqa: S301
    assert (copied._opened, copied._buffer) == (None, None)
    assert filled._buffer is not None


@pytest.mark.parametrize("bad", [-1, 99])
def test_ids_beyond_the_counts_are_refused_by_file_rows_and_value(bad: int, tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["interactions/user_id"] = np.arange(50)
        file["interactions/item_id"] = np.where(np.arange(50) == 37, bad, 0)
    loader = HDF5InteractionsDataLoader(
        hdf5_path=tmp_path / "a.h5",
        num_users=50,
        num_items=9,
        **LONE | {"batch_size": 10, "shuffle_buffer_rows": 10},
    )
    with pytest.raises(
        ValueError, match=rf"a\.h5 has item_id {bad} in rows 30 to 39, must be in 0"
    ):
        items_of(loader)


def test_a_damaged_block_is_refused_by_the_name_of_the_file(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        for name in ("user_id", "item_id"):
            file.create_dataset(
                f"interactions/{name}", data=np.arange(4096), chunks=(512,), fletcher32=True
            )
        chunk = file["interactions/item_id"].id.get_chunk_info(4)
    with (tmp_path / "a.h5").open("r+b") as raw:
        raw.seek(chunk.byte_offset + 100)
        raw.write(b"damage")
    counts: Any = {"num_users": 4096, "num_items": 4096}
    loader = HDF5InteractionsDataLoader(hdf5_path=tmp_path / "a.h5", **LONE, **counts)
    with pytest.raises(ValueError, match=r"a\.h5 cannot be read"):
        items_of(loader)


def test_without_a_buffer_rows_stay_in_their_batch(path: Path) -> None:
    loader = HDF5InteractionsDataLoader(hdf5_path=path, **LONE | {"shuffle_buffer_rows": 0})
    batches = items_of(loader)
    assert sorted(map(min, batches)) == list(range(0, ROWS, BATCH))
    assert sorted(row for batch in batches for row in batch) == list(range(ROWS))
    assert batches != sorted(batches)


@pytest.mark.parametrize(("rows", "error"), [(-1, ValueError), (1.5, TypeError), (True, TypeError)])
def test_buffers_that_are_no_size_are_refused(path: Path, rows: Any, error: type) -> None:
    with pytest.raises(error, match="shuffle_buffer_rows is"):
        HDF5InteractionsDataLoader(hdf5_path=path, **LONE | {"shuffle_buffer_rows": rows})
