from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from collie_core.cross_validation import hdf5 as module
from collie_core.cross_validation import random_folds, split_hdf5
from collie_core.interactions import read_columns, read_hdf5, read_ids
from collie_core.utils import pandas_df_to_hdf5

FOLDS = random_folds(100, 0.1, 0.2, seed=0)
FRAME = pd.DataFrame(
    {
        "user_id": np.arange(100) % 7,
        "item_id": np.arange(100) % 11,
        "rating": np.arange(100, dtype=float),
        "timestamp": pd.to_datetime(np.arange(100), unit="s", utc=True),
    }
)
IDS = {"user_id": list("abcdefg"), "item_id": list("ABCDEFGHIJK")}


@pytest.fixture
def source(tmp_path: Path) -> Path:
    pandas_df_to_hdf5(FRAME, tmp_path / "all.h5", ids=IDS)
    return tmp_path / "all.h5"


def targets_in(folder: Path) -> dict[int, Path]:
    return {fold: folder / f"{name}.h5" for fold, name in enumerate(("train", "val", "test"))}


@pytest.mark.parametrize("chunk_rows", [1, 7, 100, 1 << 18])
def test_each_file_has_the_rows_of_its_fold_in_order(source: Path, chunk_rows: int) -> None:
    targets = targets_in(source.parent)
    split_hdf5(source, targets, FOLDS, chunk_rows)
    whole = read_columns(source)
    for fold, path in targets.items():
        part = read_columns(path)
        assert part.keys() == whole.keys()
        for name, values in part.items():
            assert values.tolist() == whole[name][fold == FOLDS].tolist()
            assert values.dtype == whole[name].dtype


def test_each_file_has_the_counts_and_outside_ids(source: Path) -> None:
    targets = targets_in(source.parent)
    split_hdf5(source, targets, FOLDS)
    for path in targets.values():
        part = read_hdf5(path, check_num_negative_samples_is_valid=False)
        assert (part.num_users, part.num_items) == (7, 11)
        assert {name: list(texts) for name, texts in read_ids(path).items()} == IDS


def test_same_split_has_the_same_bytes(source: Path) -> None:
    targets = targets_in(source.parent)
    split_hdf5(source, targets, FOLDS)
    first = [path.read_bytes() for path in targets.values()]
    split_hdf5(source, targets, FOLDS)
    assert [path.read_bytes() for path in targets.values()] == first


def names_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


@pytest.mark.parametrize(
    ("folds", "fewer", "message"),
    [
        (FOLDS[:-1], 3, r"shape \(99,\), must have \(100,\): one a row"),
        (FOLDS, 2, r"folds \[2\] have no target"),
        (np.where(FOLDS == 1, 0, FOLDS), 3, r"folds \[1\] have 0 of 100 rows"),
    ],
)
def test_mismatch_is_refused_and_nothing_is_written(
    source: Path, folds: NDArray[np.int8], fewer: int, message: str
) -> None:
    targets = {fold: path for fold, path in targets_in(source.parent).items() if fold < fewer}
    with pytest.raises(ValueError, match=message):
        split_hdf5(source, targets, folds)
    assert names_in(source.parent) == {"all.h5"}


def test_failure_half_way_leaves_what_was_there(
    source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    targets = targets_in(source.parent)
    split_hdf5(source, targets, FOLDS)
    before = {path: path.read_bytes() for path in targets.values()}
    real, calls = module._copy_rows, []

    def fail_at_the_last(*arguments: Any) -> None:
        calls.append(arguments)
        if len(calls) == 3:
            raise OSError(28, "No space left on device")
        real(*arguments)

    monkeypatch.setattr(module, "_copy_rows", fail_at_the_last)
    with pytest.raises(OSError, match="No space left"):
        split_hdf5(source, targets, 2 - FOLDS)
    assert {path: path.read_bytes() for path in targets.values()} == before
    assert names_in(source.parent) == {"all.h5", "train.h5", "val.h5", "test.h5"}


def test_truncated_source_is_refused_by_name(source: Path) -> None:
    source.write_bytes(source.read_bytes()[:-100])
    with pytest.raises(ValueError, match=r"all\.h5 is cut short or damaged"):
        split_hdf5(source, targets_in(source.parent), FOLDS)
    assert names_in(source.parent) == {"all.h5"}


def test_source_of_another_layout_is_refused_by_name(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "all.h5", "w") as file:
        file["user_id"] = [0, 1]
    with pytest.raises(ValueError, match=r"all\.h5: no group 'interactions'"):
        split_hdf5(tmp_path / "all.h5", targets_in(tmp_path), FOLDS)
