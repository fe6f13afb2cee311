import os
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd
import pytest

from collie_core.interactions import HDF5Interactions, hdf5_file, read_columns, read_hdf5, read_ids
from collie_core.interactions import hdf5 as module
from collie_core.interactions.hdf5_file import open_file
from collie_core.utils import pandas_df_to_hdf5

USERS, ITEMS = [0, 0, 0, 1, 1, 2], [0, 1, 2, 3, 4, 5]
FRAME = pd.DataFrame({"user_id": USERS, "item_id": ITEMS})
SAME: Any = {"check_dtype": False, "check_like": True, "check_index_type": False}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    pandas_df_to_hdf5(FRAME, tmp_path / "sample.h5")
    return tmp_path / "sample.h5"


def write(path: Path, **columns: Any) -> Path:
    with h5py.File(path, "w") as file:
        for name, values in columns.items():
            file.require_group("interactions")[name] = np.asarray(values)
    return path


def test_piece_is_read_in_order(path: Path) -> None:
    (users, items), negatives = HDF5Interactions(path, num_negative_samples=2)[(1, 3)]
    assert (users.tolist(), items.tolist()) == ([0, 0, 1], [1, 2, 3])
    assert [str(values.dtype) for values in (users, items, negatives)] == ["int32"] * 2 + ["int64"]
    assert negatives.shape == (3, 2)


def test_none_are_drawn_where_none_are_wanted_of_a_file(path: Path) -> None:
    assert HDF5Interactions(path, num_negative_samples=0)[(1, 3)][1].shape == (3, 0)


def test_piece_at_the_end_is_short(path: Path) -> None:
    assert HDF5Interactions(path)[(4, 10)][0][1].tolist() == [4, 5]


def test_piece_is_shuffled_anew_each_time(path: Path) -> None:
    interactions = HDF5Interactions(path, shuffle=True, seed=0)
    pieces = [interactions[(0, 4)][0][1].tolist() for _ in range(8)]
    assert all(sorted(piece) == [0, 1, 2, 3] for piece in pieces)
    assert len(set(map(tuple, pieces))) > 1


def test_shuffle_keeps_pairs_together(path: Path) -> None:
    (users, items), _ = HDF5Interactions(path, shuffle=True, seed=0)[(0, 6)]
    assert dict(zip(items.tolist(), users.tolist(), strict=True)) == dict(
        zip(ITEMS, USERS, strict=True)
    )


def test_same_seed_same_draws(path: Path) -> None:
    one, other = (HDF5Interactions(path, shuffle=True, seed=5) for _ in range(2))
    assert one[(0, 6)][1].tolist() == other[(0, 6)][1].tolist()


def test_counts_are_those_of_the_file(tmp_path: Path) -> None:
    pandas_df_to_hdf5(FRAME, tmp_path / "a.h5", num_users=10, num_items=20)
    interactions = HDF5Interactions(tmp_path / "a.h5")
    assert (interactions.num_users, interactions.num_items, len(interactions)) == (10, 20, 6)


def test_counts_may_be_given(path: Path) -> None:
    assert HDF5Interactions(path, num_users=7, num_items=8).num_items == 8


def test_counts_are_inferred_piece_by_piece(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hdf5_file, "INFER_ROWS", 2)
    write(tmp_path / "a.h5", user_id=USERS, item_id=[5, 0, 1, 2, 3, 4])
    interactions = HDF5Interactions(tmp_path / "a.h5")
    assert (interactions.num_users, interactions.num_items) == (3, 6)


def test_columns_may_have_other_names(tmp_path: Path) -> None:
    write(tmp_path / "a.h5", who=USERS, what=ITEMS)
    interactions = HDF5Interactions(tmp_path / "a.h5", user_col="who", item_col="what")
    assert interactions[(0, 2)][0][1].tolist() == [0, 1]


def test_group_may_have_another_name(tmp_path: Path) -> None:
    pandas_df_to_hdf5(FRAME, tmp_path / "a.h5", key="week")
    assert len(HDF5Interactions(tmp_path / "a.h5")) == 6


@pytest.mark.parametrize("n", [0, 2, 6, 99, -2, -6, -99])
def test_head_and_tail_are_those_of_the_frame(path: Path, n: int) -> None:
    interactions = HDF5Interactions(path)
    pd.testing.assert_frame_equal(interactions.head(n), FRAME.head(n), **SAME)
    pd.testing.assert_frame_equal(interactions.tail(n), FRAME.tail(n), **SAME)


def test_mat_is_refused_with_the_reason(path: Path) -> None:
    with pytest.raises(AttributeError, match="may not fit in memory"):
        _ = HDF5Interactions(path).mat


def test_file_is_opened_when_first_read_and_once(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[Path] = []

    def counted(opened: Path) -> h5py.File:
        calls.append(opened)
        return open_file(opened)

    monkeypatch.setattr(module, "open_file", counted)
    interactions = HDF5Interactions(path)
    assert calls == []
    for _ in range(2):
        interactions[(0, 2)]
    assert calls == [path]


def test_another_process_opens_the_file_for_itself(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    interactions = HDF5Interactions(path)
    interactions[(0, 1)]
    first = interactions._opened
    monkeypatch.setattr(os, "getpid", lambda: -1)
    interactions[(0, 1)]
    assert interactions._opened is not first


@pytest.mark.parametrize("index", [1.0, [0, 1], slice(2), (0, 1, 2)])
def test_other_indices_are_refused(path: Path, index: Any) -> None:
    with pytest.raises(TypeError, match=r"must be \(start, size\)"):
        HDF5Interactions(path)[index]


def test_a_number_is_the_piece_of_one_row(path: Path) -> None:
    interactions = HDF5Interactions(path, seed=0)
    for number in (2, np.int64(2)):
        users, items = interactions[number][0]
        expected_users, expected_items = interactions[(2, 1)][0]
        assert (users.tolist(), items.tolist()) == (
            expected_users.tolist(),
            expected_items.tolist(),
        )
    with pytest.raises(IndexError, match="start is 6, must be below 6"):
        interactions[6]


def test_start_beyond_the_end_is_an_index_error(path: Path) -> None:
    with pytest.raises(IndexError, match="start is 6, must be below 6"):
        HDF5Interactions(path)[(6, 1)]


READERS = pytest.mark.parametrize("read", [HDF5Interactions, read_hdf5, read_columns, read_ids])


@READERS
def test_missing_file_is_named(read: Any, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"none\.h5 is not a file"):
        read(tmp_path / "none.h5")


@READERS
def test_other_format_is_named(read: Any, tmp_path: Path) -> None:
    (tmp_path / "a.h5").write_bytes(b"user_id,item_id\n0,0\n" * 100)
    with pytest.raises(ValueError, match=r"a\.h5 is not an HDF5 file"):
        read(tmp_path / "a.h5")


@READERS
@pytest.mark.parametrize("left", [0.3, 0.6, 0.99])
def test_truncated_file_is_named(read: Any, left: float, path: Path) -> None:
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * left)])
    with pytest.raises(ValueError, match=r"sample\.h5 is cut short or damaged .* write it again"):
        read(path)


@READERS
def test_empty_file_is_named(read: Any, tmp_path: Path) -> None:
    (tmp_path / "a.h5").touch()
    with pytest.raises(ValueError, match=r"a\.h5 is not an HDF5 file"):
        read(tmp_path / "a.h5")


@pytest.mark.parametrize("read", [HDF5Interactions, read_hdf5])
@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"user_id": [0]}, r"no column 'item_id': it has \['user_id'\]"),
        ({"user_id": [0, 1], "item_id": [0]}, "unequal shapes"),
        ({"user_id": [[0]], "item_id": [[0]]}, "unequal shapes"),
        ({"user_id": [0, -4], "item_id": [0, 1]}, "user_id -4 at row 1 is negative"),
        ({"user_id": [-1, 0, -4], "item_id": [0, 1, 2]}, "user_id -1 at row 0 is negative"),
        ({"deeper/user_id": [0]}, r"no column 'user_id': it has \['deeper'\]"),
        ({}, "no group 'interactions'"),
    ],
)
def test_bad_columns_are_refused_and_the_file_is_named(
    read: Any, columns: dict[str, Any], message: str, tmp_path: Path
) -> None:
    write(tmp_path / "a.h5", **columns)
    with pytest.raises(ValueError, match=rf"a\.h5: .*{message}"):
        read(tmp_path / "a.h5")


def test_a_group_among_the_columns_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "a.h5", **{"user_id": [0], "item_id": [0], "deeper/rating": [1]})
    with pytest.raises(ValueError, match=r"a\.h5: columns of unequal shapes .*'deeper': \(\)"):
        HDF5Interactions(tmp_path / "a.h5")


@pytest.mark.parametrize("count", [0, -1])
def test_counts_of_the_file_that_are_none_are_refused(path: Path, count: int) -> None:
    with h5py.File(path, "r+") as file:
        file["interactions"].attrs["num_users"] = count
    with pytest.raises(ValueError, match=rf"h5: num_users is {count}, must be at least 1"):
        HDF5Interactions(path)


def test_ids_that_are_not_whole_are_refused(tmp_path: Path) -> None:
    write(tmp_path / "a.h5", user_id=[0.0], item_id=[0])
    with pytest.raises(ValueError, match="'user_id' is float64, must be of whole numbers"):
        HDF5Interactions(tmp_path / "a.h5")


@pytest.mark.parametrize("users", [[0, 1, -2], [0, 1, 3]])
def test_ids_beyond_the_counts_are_refused_when_read(users: list[int], tmp_path: Path) -> None:
    write(tmp_path / "a.h5", user_id=users, item_id=[0, 1, 2])
    interactions = HDF5Interactions(tmp_path / "a.h5", num_users=3, num_items=3)
    with pytest.raises(ValueError, match=r"a\.h5 has user_id .* in rows 1 to 2, must be in 0..2"):
        interactions[(1, 2)]


def test_no_rows_are_refused(tmp_path: Path) -> None:
    write(tmp_path / "a.h5", user_id=np.zeros(0, int), item_id=np.zeros(0, int))
    with pytest.raises(ValueError, match="0 rows, must have at least 1"):
        HDF5Interactions(tmp_path / "a.h5")


def test_read_hdf5_gives_the_rows_the_ratings_and_the_counts(tmp_path: Path) -> None:
    frame = FRAME.assign(rating=[1.0, 2, 3, 4, 5, 3.5])
    pandas_df_to_hdf5(frame, tmp_path / "a.h5", num_users=9)
    interactions = read_hdf5(tmp_path / "a.h5", num_negative_samples=2)
    assert (interactions.users.tolist(), interactions.items.tolist()) == (USERS, ITEMS)
    assert interactions.ratings.tolist() == [1.0, 2, 3, 4, 5, 3.5]
    assert (interactions.num_users, interactions.num_negative_samples) == (9, 2)


def test_read_hdf5_accepts_holes_where_the_file_knows_its_counts(tmp_path: Path) -> None:
    pandas_df_to_hdf5(FRAME.tail(1), tmp_path / "a.h5")
    assert len(read_hdf5(tmp_path / "a.h5", num_negative_samples=2)) == 1


def test_read_hdf5_names_the_file_when_interactions_refuse(tmp_path: Path) -> None:
    write(tmp_path / "a.h5", user_id=[0, 2], item_id=[0, 1])
    with pytest.raises(ValueError, match=r"a\.h5: 1 of the user_ids 0..2 never appear"):
        read_hdf5(tmp_path / "a.h5")


def test_read_columns_gives_what_is_asked_for(path: Path) -> None:
    assert {name: list(column) for name, column in read_columns(path).items()} == {
        "user_id": USERS,
        "item_id": ITEMS,
    }
    assert list(read_columns(path, ("item_id",))) == ["item_id"]


def test_outside_ids_are_read_back(tmp_path: Path) -> None:
    ids = {"user_id": ["ann", "böb", "üte"], "item_id": list("abcdef")}
    pandas_df_to_hdf5(FRAME, tmp_path / "a.h5", ids=ids)
    assert {name: list(texts) for name, texts in read_ids(tmp_path / "a.h5").items()} == ids


def test_file_without_outside_ids_has_none(path: Path) -> None:
    assert read_ids(path) == {}
