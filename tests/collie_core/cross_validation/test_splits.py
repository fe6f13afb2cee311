from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from collie_core.cross_validation import random_split, stratified_split, time_split
from collie_core.interactions import HDF5Interactions, Interactions
from collie_core.utils import pandas_df_to_hdf5

RNG = np.random.default_rng(0)
USERS = np.repeat(np.arange(20), 10)
ITEMS = np.concatenate([RNG.permutation(50)[:10] for _ in range(20)])
TIMES = RNG.permutation(200)


def interactions() -> Interactions:
    options: Any = {"num_negative_samples": 3, "allow_missing_ids": True, "num_items": 60}
    return Interactions(users=USERS, items=ITEMS, ratings=np.arange(200), seed=2, **options)


def in_time(data: Any, val_p: float = 0.0, test_p: float = 0.2, seed: Any = None) -> Any:
    del seed
    return time_split(data, TIMES, val_p, test_p)


SPLITS = pytest.mark.parametrize("split", [random_split, stratified_split, in_time])


@SPLITS
@pytest.mark.parametrize(("val_p", "sizes"), [(0.0, [160, 40]), (0.1, [140, 20, 40])])
def test_parts_are_disjoint_and_complete(split: Any, val_p: float, sizes: list[int]) -> None:
    whole = interactions()
    parts = split(whole, val_p=val_p, test_p=0.2, seed=0)
    assert [len(part) for part in parts] == sizes
    rows = np.concatenate([part.ratings for part in parts])
    assert sorted(rows.tolist()) == list(range(200))
    for part in parts:
        assert part.users.tolist() == whole.users[part.ratings].tolist()
        assert part.items.tolist() == whole.items[part.ratings].tolist()


@SPLITS
def test_parts_keep_counts_and_options(split: Any) -> None:
    for part in split(interactions(), val_p=0.1):
        assert isinstance(part, Interactions)
        assert (part.num_users, part.num_items, part.num_negative_samples) == (20, 60, 3)
        assert part.mat.shape == (20, 60)


@SPLITS
def test_rows_of_a_part_keep_their_order(split: Any) -> None:
    for part in split(interactions()):
        assert np.all(np.diff(part.ratings) > 0)


@pytest.mark.parametrize("split", [random_split, stratified_split])
def test_seed_decides(split: Any) -> None:
    one, same, other = (split(interactions(), seed=seed)[1].ratings for seed in (7, 7, 8))
    assert one.tolist() == same.tolist() != other.tolist()


@pytest.mark.parametrize("split", [random_split, stratified_split])
@pytest.mark.parametrize("processes", [-1, 0, 1, 4])
def test_processes_do_not_matter(split: Any, processes: int) -> None:
    got = split(interactions(), processes=processes, seed=7)[1].ratings
    assert got.tolist() == split(interactions(), seed=7)[1].ratings.tolist()


def test_test_share_is_a_fifth_by_default() -> None:
    assert [len(part) for part in random_split(interactions())] == [160, 40]


def test_stratified_split_has_every_user_in_each_part() -> None:
    for part in stratified_split(interactions(), val_p=0.1, test_p=0.1):
        assert set(part.users) == set(range(20))


def test_stratified_split_can_be_forced() -> None:
    short = Interactions(users=[0, 0, 0, 1], items=[0, 1, 2, 3], num_negative_samples=1)
    train, test = stratified_split(short, force_split=True)
    assert (1 in train.users, 1 in test.users) == (True, False)


def test_time_split_tests_the_latest() -> None:
    train, validation, test = time_split(interactions(), TIMES, val_p=0.1, test_p=0.2)
    assert TIMES[train.ratings].max() < TIMES[validation.ratings].min()
    assert TIMES[validation.ratings].max() < TIMES[test.ratings].min()


def test_time_split_from_given_times_has_validation() -> None:
    parts = time_split(interactions(), TIMES, validation_from=100, test_from=150)
    assert [len(part) for part in parts] == [100, 50, 50]


def test_times_must_be_one_a_row() -> None:
    with pytest.raises(ValueError, match="3 timestamps and 200 interactions: remove duplicate"):
        time_split(interactions(), [1, 2, 3])


@SPLITS
def test_part_without_rows_is_refused(split: Any) -> None:
    with pytest.raises(ValueError, match=r"\['test'\] would have 0 of 200 interactions"):
        split(interactions(), test_p=0.0)


def test_times_that_are_all_equal_cannot_be_split() -> None:
    with pytest.raises(ValueError, match=r"\['train'\] would have 0"):
        time_split(interactions(), np.zeros(200))


@SPLITS
def test_interactions_on_disk_are_refused(split: Any, tmp_path: Path) -> None:
    frame = pd.DataFrame({"user_id": USERS, "item_id": ITEMS})
    pandas_df_to_hdf5(frame, tmp_path / "a.h5")
    with pytest.raises(TypeError, match=r"HDF5Interactions, must be in memory: .* split_hdf5"):
        split(HDF5Interactions(tmp_path / "a.h5"))
