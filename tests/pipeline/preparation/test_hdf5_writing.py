from pathlib import Path

import h5py
import numpy as np
import pytest

from collie_pipeline.preparation import Encoded, read_ids, write_hdf5


@pytest.fixture
def encoded() -> Encoded:
    rng = np.random.default_rng(0)
    return Encoded(
        user_ids=np.array(["10", "b", "größer 😀"]),
        item_ids=np.array(["x", "y" * 256]),
        users=rng.integers(0, 3, 1_000, dtype=np.int32),
        items=rng.integers(0, 2, 1_000, dtype=np.int32),
        timestamps=np.sort(rng.integers(0, 10**15, 1_000)),
    )


@pytest.fixture
def path(encoded: Encoded, tmp_path: Path) -> Path:
    write_hdf5(encoded, tmp_path / "positives.h5")
    return tmp_path / "positives.h5"


def test_columns_are_chunked_and_of_the_agreed_types(path: Path) -> None:
    with h5py.File(path) as file:
        found = {name: (c.dtype.name, bool(c.chunks)) for name, c in file["interactions"].items()}
    assert found == {
        "user_id": ("int32", True),
        "item_id": ("int32", True),
        "timestamp": ("int64", True),
    }


def test_columns_hold_the_positives(path: Path, encoded: Encoded) -> None:
    with h5py.File(path) as file:
        np.testing.assert_array_equal(file["interactions/user_id"], encoded.users)
        np.testing.assert_array_equal(file["interactions/item_id"], encoded.items)
        np.testing.assert_array_equal(file["interactions/timestamp"], encoded.timestamps)


def test_counts_are_those_of_the_ids(path: Path) -> None:
    with h5py.File(path) as file:
        assert dict(file["interactions"].attrs) == {"num_users": 3, "num_items": 2}


def test_ids_come_back_as_they_were(path: Path, encoded: Encoded) -> None:
    user_ids, item_ids = read_ids(path)
    assert user_ids.tolist() == encoded.user_ids.tolist()
    assert item_ids.tolist() == encoded.item_ids.tolist()


def test_equal_positives_give_equal_bytes(path: Path, encoded: Encoded, tmp_path: Path) -> None:
    write_hdf5(encoded, tmp_path / "again.h5")
    assert (tmp_path / "again.h5").read_bytes() == path.read_bytes()


def test_no_time_of_writing_is_in_the_file(path: Path) -> None:
    with h5py.File(path) as file:
        for column in file["interactions"].values():
            assert h5py.h5g.get_objinfo(column.id).mtime == 0


def test_table_by_outside_id_gives_the_same_bytes(path: Path, encoded: Encoded) -> None:
    order = np.lexsort((encoded.items, encoded.users, encoded.timestamps))
    sorted_ = Encoded(
        encoded.user_ids,
        encoded.item_ids,
        encoded.users[order],
        encoded.items[order],
        encoded.timestamps[order],
    )
    write_hdf5(sorted_, path)
    write_hdf5(sorted_.table(), path.with_suffix(".table"))
    assert path.with_suffix(".table").read_bytes() == path.read_bytes()


def test_writing_again_replaces_what_was_there(path: Path, encoded: Encoded) -> None:
    before = path.read_bytes()
    write_hdf5(encoded, path)
    assert path.read_bytes() == before


def test_file_without_ids_is_refused(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "bare.h5", "w") as file:
        file.create_group("interactions")
    with pytest.raises(ValueError, match=r"bare\.h5 has no group 'ids'"):
        read_ids(tmp_path / "bare.h5")
