import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from collie_core.interactions import (
    ApproximateNegativeSamplingInteractionsDataLoader,
    HDF5Interactions,
    HDF5InteractionsDataLoader,
    Interactions,
    InteractionsDataLoader,
)
from collie_core.utils import pandas_df_to_hdf5

USERS, ITEMS = [0, 0, 0, 1, 1, 2], [0, 1, 2, 3, 4, 5]
LACKING = {0: {3, 4, 5}, 1: {0, 1, 2, 5}, 2: {0, 1, 2, 3, 4}}
IN_MEMORY = [InteractionsDataLoader, ApproximateNegativeSamplingInteractionsDataLoader]
ALL = [*IN_MEMORY, HDF5InteractionsDataLoader]


def loader_of(kind: Any, tmp_path: Path, **options: Any) -> Any:
    options = {"num_workers": 0, "num_negative_samples": 2, "seed": 1} | options
    if kind is not HDF5InteractionsDataLoader:
        return kind(users=USERS, items=ITEMS, **options)
    path = tmp_path / "sample_hdf5.h5"
    pandas_df_to_hdf5(pd.DataFrame({"user_id": USERS, "item_id": ITEMS}), out_path=path)
    return kind(hdf5_path=path, **options)


def flat(loader: Any) -> list[Any]:
    return [
        [users.tolist(), items.tolist(), negatives.tolist()] for (users, items), negatives in loader
    ]


@pytest.mark.parametrize("kind", ALL)
def test_chapter_one_batch_has_the_documented_structure(kind: Any, tmp_path: Path) -> None:
    ((users, items), negatives), *rest = list(loader_of(kind, tmp_path))
    assert rest == []
    torch.testing.assert_close(users, torch.tensor(USERS, dtype=torch.int32))
    torch.testing.assert_close(items, torch.tensor(ITEMS, dtype=torch.int32))
    assert (negatives.shape, negatives.dtype) == ((6, 2), torch.int64)


def test_negatives_are_exact_by_default(tmp_path: Path) -> None:
    loader = loader_of(InteractionsDataLoader, tmp_path, shuffle=True)
    for _ in range(30):
        for users, _, negatives in flat(loader):
            for user, drawn in zip(users, negatives, strict=True):
                assert set(drawn) <= LACKING[user]


@pytest.mark.parametrize("kind", ALL[1:])
def test_negatives_of_the_others_come_from_all_items(kind: Any, tmp_path: Path) -> None:
    loader = loader_of(kind, tmp_path, num_negative_samples=80)
    assert set(flat(loader)[0][2][0]) == set(range(6))


def test_negatives_for_exact_interactions_are_approximate_too() -> None:
    exact = Interactions(users=USERS, items=ITEMS, num_negative_samples=3, seed=0)
    loader = ApproximateNegativeSamplingInteractionsDataLoader(exact, num_workers=0)
    drawn = {item for _ in range(20) for item in flat(loader)[0][2][0]}
    assert drawn == set(range(6))
    assert set(exact[0][1].tolist()) <= LACKING[0]


@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize("kind", ALL)
def test_batches_do_not_depend_on_workers(kind: Any, shuffle: bool, tmp_path: Path) -> None:
    options = {"batch_size": 2, "shuffle": shuffle}
    alone = loader_of(kind, tmp_path, num_workers=0, **options)
    together = loader_of(kind, tmp_path, num_workers=2, **options)
    assert [flat(alone) for _ in range(2)] == [flat(together) for _ in range(2)]


@pytest.mark.parametrize("kind", ALL)
def test_what_torch_draws_after_an_epoch_does_not_depend_on_workers(
    kind: Any, tmp_path: Path
) -> None:
    drawn = []
    for num_workers in (0, 1):
        loader = loader_of(kind, tmp_path, num_workers=num_workers)
        torch.manual_seed(4)
        list(loader)
        drawn.append(torch.rand(1).item())
    assert drawn[0] == drawn[1]


@pytest.mark.parametrize("kind", ALL)
def test_epochs_differ(kind: Any, tmp_path: Path) -> None:
    loader = loader_of(kind, tmp_path, num_negative_samples=3, shuffle=True)
    assert flat(loader) != flat(loader)


@pytest.mark.parametrize("kind", ALL)
def test_seeds_differ(kind: Any, tmp_path: Path) -> None:
    assert flat(loader_of(kind, tmp_path)) != flat(loader_of(kind, tmp_path, seed=2))


@pytest.mark.parametrize("kind", ALL)
@pytest.mark.parametrize(("drop_last", "sizes"), [(False, [4, 2]), (True, [4])])
def test_last_batch_is_short_or_dropped(
    kind: Any, drop_last: bool, sizes: list[int], tmp_path: Path
) -> None:
    loader = loader_of(kind, tmp_path, batch_size=4, drop_last=drop_last)
    assert [len(users) for users, _, _ in flat(loader)] == sizes
    assert len(loader) == len(sizes)


@pytest.mark.parametrize("kind", ALL)
def test_shuffled_epoch_has_each_pair_once(kind: Any, tmp_path: Path) -> None:
    loader = loader_of(kind, tmp_path, batch_size=4, shuffle=True)
    pairs = [pair for users, items, _ in flat(loader) for pair in zip(users, items, strict=True)]
    assert sorted(pairs) == list(zip(USERS, ITEMS, strict=True))


def test_rows_on_disk_are_shuffled_in_their_batch(tmp_path: Path) -> None:
    loader = loader_of(HDF5InteractionsDataLoader, tmp_path, batch_size=6, shuffle=True)
    orders = {tuple(flat(loader)[0][1]) for _ in range(5)}
    assert len(orders) > 1


@pytest.mark.parametrize("kind", ALL)
def test_properties_are_those_of_the_interactions(kind: Any, tmp_path: Path) -> None:
    loader = loader_of(kind, tmp_path)
    assert (loader.num_users, loader.num_items) == (3, 6)
    assert (loader.num_interactions, loader.num_negative_samples) == (6, 2)


@pytest.mark.parametrize("kind", IN_MEMORY)
def test_mat_and_interactions_are_the_given_ones(kind: Any) -> None:
    interactions = Interactions(users=USERS, items=ITEMS, num_negative_samples=2)
    loader = kind(interactions)
    assert loader.interactions is interactions
    assert loader.mat is interactions.mat


def test_mat_on_disk_is_refused_with_the_reason(tmp_path: Path) -> None:
    with pytest.raises(AttributeError, match="may not fit in memory: use read_hdf5"):
        _ = loader_of(HDF5InteractionsDataLoader, tmp_path).mat


def test_batch_size_is_reported_as_given(tmp_path: Path) -> None:
    assert loader_of(InteractionsDataLoader, tmp_path, batch_size=4).batch_size == 4


@pytest.mark.parametrize(
    ("kind", "sampler"),
    [
        (ApproximateNegativeSamplingInteractionsDataLoader, "approximate_negative_sampler"),
        (HDF5InteractionsDataLoader, "hdf5_sampler"),
    ],
)
def test_batch_size_of_the_others_is_that_of_their_sampler(
    kind: Any, sampler: str, tmp_path: Path
) -> None:
    loader = loader_of(kind, tmp_path, batch_size=4)
    assert (loader.batch_size, getattr(loader, sampler).batch_size) == (None, 4)


def test_loader_has_two_workers_by_default() -> None:
    assert InteractionsDataLoader(mat=np.eye(20)).num_workers == 2


@pytest.mark.parametrize("kind", ALL)
@pytest.mark.parametrize("batch_size", [0, -3])
def test_batch_size_below_one_is_refused(kind: Any, batch_size: int, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"batch_size is .*, must be at least 1"):
        loader_of(kind, tmp_path, batch_size=batch_size)


@pytest.mark.parametrize("kind", ALL)
@pytest.mark.parametrize("name", ["bach_size", "sampler", "batch_sampler"])
def test_unknown_keywords_are_refused_by_name(kind: Any, name: str, tmp_path: Path) -> None:
    with pytest.raises(TypeError, match=rf"\['{name}'\] cannot be used \(unknown\): use"):
        loader_of(kind, tmp_path, **{name: 3})


@pytest.mark.parametrize("kind", IN_MEMORY)
def test_options_of_given_interactions_are_refused(kind: Any) -> None:
    interactions = Interactions(users=USERS, items=ITEMS, num_negative_samples=2)
    with pytest.raises(TypeError, match="the Interactions given has its own"):
        kind(interactions, num_negative_samples=1)


@pytest.mark.parametrize("kind", ALL)
def test_keywords_of_torch_are_passed_on(kind: Any, tmp_path: Path) -> None:
    loader = loader_of(kind, tmp_path, num_workers=1, prefetch_factor=3)
    assert loader.prefetch_factor == 3


def test_interactions_on_disk_are_refused_in_memory(tmp_path: Path) -> None:
    on_disk = loader_of(HDF5InteractionsDataLoader, tmp_path).interactions
    with pytest.raises(TypeError, match="use HDF5InteractionsDataLoader"):
        InteractionsDataLoader(on_disk)


def test_interactions_in_memory_are_refused_on_disk() -> None:
    interactions: Any = Interactions(users=USERS, items=ITEMS, num_negative_samples=2)
    with pytest.raises(TypeError, match="must be HDF5Interactions"):
        HDF5InteractionsDataLoader(interactions)


def test_loader_on_disk_needs_a_path_or_interactions() -> None:
    with pytest.raises(ValueError, match="pass hdf5_interactions or hdf5_path"):
        HDF5InteractionsDataLoader()


@pytest.mark.parametrize("shuffle", [False, True])
def test_given_interactions_on_disk_keep_their_own_order(shuffle: bool, tmp_path: Path) -> None:
    on_disk: HDF5Interactions = loader_of(HDF5InteractionsDataLoader, tmp_path).interactions
    loader = HDF5InteractionsDataLoader(on_disk, shuffle=shuffle, num_workers=0)
    orders = {tuple(flat(loader)[0][1]) for _ in range(5)}
    assert (len(orders) > 1) == shuffle
    assert loader.interactions is on_disk
    assert not on_disk.shuffle


def test_tensors_share_the_memory_of_the_arrays(tmp_path: Path) -> None:
    loader = loader_of(InteractionsDataLoader, tmp_path)
    array = np.arange(3)
    loader.collate_fn((array,))[0][0] = 7
    assert array[0] == 7


def test_data_set_survives_pickling_to_a_spawned_worker(tmp_path: Path) -> None:
    loader = loader_of(HDF5InteractionsDataLoader, tmp_path)
    flat(loader)
    copied = pickle.loads(pickle.dumps(loader.dataset))  # noqa: S301
    assert copied[(0, 6)][0][1].tolist() == ITEMS
