import pickle
import pickletools
import subprocess
import sys
import warnings
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collie_core.cross_validation.hdf5 import split_hdf5
from collie_core.interactions import (
    HDF5Interactions,
    HDF5InteractionsDataLoader,
    read_columns,
    read_hdf5,
)
from collie_core.interactions.pytables import strings_in

pytest.importorskip("tables")
if find_spec("hdf5plugin") is None:  # not imported here, for then it would be there for all
    pytest.skip("hdf5plugin is not installed", allow_module_level=True)

FRAME = pd.DataFrame(
    {
        "user_id": [0, 0, 0, 1, 1, 2],
        "item_id": [0, 1, 2, 3, 4, 5],
        "rating": [1.0, 2.5, 3, 4, 5, 3.5],
    }
)
USERS, ITEMS = FRAME.user_id.tolist(), FRAME.item_id.tolist()


def append(path: Path, frame: pd.DataFrame, key: str = "interactions", **options: Any) -> Path:
    """Append `frame` as Collie did, which left the level of compression to pandas."""
    options = {"complib": "blosc", "complevel": 9} | options
    to_hdf: Any = frame.to_hdf
    to_hdf(path, key=key, mode="a", append=True, format="table", **options)
    return path


@pytest.fixture(params=[None, True, ["user_id"]], ids=["blocks", "fields", "both"])
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return append(tmp_path / "a.h5", FRAME, data_columns=request.param)


def renamed(path: Path, pickled: Any) -> Path:
    """Put another pickle where the names of the block of ids are kept."""
    with h5py.File(path, "r+") as file:
        file["interactions/table"].attrs["values_block_0_kind"] = pickled
    return path


def test_piece_is_read_in_order(path: Path) -> None:
    (users, items), negatives = HDF5Interactions(path, num_negative_samples=2)[(1, 3)]
    assert (users.tolist(), items.tolist()) == (USERS[1:4], ITEMS[1:4])
    assert (str(users.dtype), negatives.shape) == ("int32", (3, 2))


def test_counts_are_inferred_where_there_are_none(path: Path) -> None:
    interactions = HDF5Interactions(path)
    assert (interactions.num_users, interactions.num_items, len(interactions)) == (3, 6, 6)


@pytest.mark.parametrize("layout", ["table", "fixed"])
def test_counts_are_those_of_meta(path: Path, layout: Any) -> None:
    meta = pd.DataFrame({"num_users": [10], "num_items": [20]})
    meta.to_hdf(path, key="meta", mode="a", format=layout)
    for interactions in (HDF5Interactions(path), read_hdf5(path, num_negative_samples=2)):
        assert (interactions.num_users, interactions.num_items) == (10, 20)
    assert HDF5Interactions(path, num_users=7, num_items=8).num_users == 7


@pytest.mark.parametrize("layout", ["table", "fixed"])
@pytest.mark.parametrize(
    ("counts", "error", "message"),
    [
        (
            {"num_users": [10, 9], "num_items": [20, 20]},
            ValueError,
            "'meta' has rows .* must have 1",
        ),
        ({"num_users": [0], "num_items": [20]}, ValueError, "num_users is 0, must be at least 1"),
        ({"num_users": [np.nan], "num_items": [6]}, TypeError, "num_users is .* a whole number"),
    ],
)
def test_counts_that_are_none_are_refused_and_the_file_is_named(
    path: Path, layout: Any, counts: Any, error: type, message: str
) -> None:
    to_hdf: Any = pd.DataFrame(counts).to_hdf
    to_hdf(path, key="meta", mode="a", format=layout)
    with pytest.raises(error, match=rf"a\.h5: {message}"):
        HDF5Interactions(path)


def test_pieces_appended_are_one_file(path: Path) -> None:
    with pd.HDFStore(path) as store:
        storer: Any = store
        columns = storer.get_storer("interactions").data_columns
    append(path, FRAME.assign(user_id=3), data_columns=columns or None)
    columns_read = read_columns(path)
    assert columns_read["user_id"].tolist() == [*USERS, *[3] * 6]
    assert columns_read["item_id"].tolist() == ITEMS * 2


def test_head_and_tail_have_the_columns_and_not_the_index(path: Path) -> None:
    interactions = HDF5Interactions(path)
    same: Any = {"check_like": True, "check_index_type": False}
    pd.testing.assert_frame_equal(interactions.head(2), FRAME.head(2), **same)
    pd.testing.assert_frame_equal(interactions.tail(2), FRAME.tail(2), **same)


def test_read_hdf5_has_the_ratings(path: Path) -> None:
    interactions = read_hdf5(path, num_negative_samples=2)
    assert (interactions.users.tolist(), interactions.items.tolist()) == (USERS, ITEMS)
    assert interactions.ratings.tolist() == FRAME.rating.tolist()


def test_missing_column_is_named(path: Path) -> None:
    with pytest.raises(ValueError, match=r"a\.h5: no column 'who': it has \['item_id', 'rating', "):
        HDF5Interactions(path, user_col="who")


@pytest.mark.parametrize("num_workers", [0, 1])
@pytest.mark.parametrize("shuffle", [False, True])
def test_loader_gives_each_row_once(path: Path, shuffle: bool, num_workers: int) -> None:
    loader = HDF5InteractionsDataLoader(
        hdf5_path=path, batch_size=4, shuffle=shuffle, num_workers=num_workers, seed=0
    )
    pairs = [pair for (users, items), _ in loader for pair in zip(users, items, strict=True)]
    assert sorted((int(user), int(item)) for user, item in pairs) == list(
        zip(USERS, ITEMS, strict=True)
    )


def test_split_has_all_columns_and_the_counts(path: Path, tmp_path: Path) -> None:
    append(path, pd.DataFrame({"num_users": [10], "num_items": [20]}), key="meta")
    targets = {0: tmp_path / "train.h5", 1: tmp_path / "test.h5"}
    split_hdf5(path, targets, np.array([0, 1, 0, 1, 0, 0]), chunk_rows=4)
    assert read_columns(targets[0])["rating"].tolist() == [1, 3, 5, 3.5]
    assert read_columns(targets[1])["item_id"].tolist() == [1, 3]
    assert HDF5Interactions(targets[1]).num_items == 20


@pytest.mark.parametrize("unit", ["ns", "us", "ms", "s"])
@pytest.mark.parametrize("zone", [None, "Asia/Tokyo"])
def test_times_are_microseconds_as_in_our_own_files(
    unit: Any, zone: str | None, tmp_path: Path
) -> None:
    times = pd.Series(pd.date_range("1969-12-31 23:59:59", periods=6, freq="D", tz=zone))
    frame = FRAME.assign(timestamp=times.dt.as_unit(unit))
    expected = times.dt.as_unit("us").astype("int64").tolist()
    assert read_columns(append(tmp_path / "a.h5", frame))["timestamp"].tolist() == expected


def test_times_without_a_unit_are_nanoseconds(tmp_path: Path) -> None:
    frame = FRAME.assign(timestamp=pd.Series(pd.date_range("2020", periods=6, unit="ns")))
    path = append(tmp_path / "a.h5", frame, data_columns=True)
    with h5py.File(path, "r+") as file:
        file["interactions/table"].attrs["timestamp_dtype"] = np.bytes_(b"datetime64")
    first = pd.Timestamp(int(read_columns(path)["timestamp"][0]), unit="us")
    assert first == pd.Timestamp("2020-01-01")


def test_truths_are_truths_and_texts_are_bytes(tmp_path: Path) -> None:
    frame = FRAME.assign(is_new=[True, False] * 3, title=list("abcdef"))
    columns = read_columns(append(tmp_path / "a.h5", frame))
    assert columns["is_new"].dtype == np.bool_
    assert (columns["is_new"].tolist(), columns["title"][0]) == ([True, False] * 3, b"a")


def test_missing_times_are_refused(tmp_path: Path) -> None:
    frame = FRAME.assign(timestamp=pd.to_datetime(["2020", "NaT", *["2021"] * 4]))
    append(tmp_path / "a.h5", frame)
    with pytest.raises(ValueError, match=r"a\.h5: timestamp is missing in a row: drop the row"):
        read_columns(tmp_path / "a.h5")


def test_only_a_categorical_column_is_refused(tmp_path: Path) -> None:
    path = append(tmp_path / "a.h5", FRAME.assign(kind=pd.Categorical(list("ababab"))))
    assert len(HDF5Interactions(path)[(0, 6)][1]) == 6
    with pytest.raises(ValueError, match=r"a\.h5: column 'kind' is categorical: write"):
        read_columns(path)


def test_fixed_format_is_refused(tmp_path: Path) -> None:
    FRAME.to_hdf(tmp_path / "a.h5", key="interactions")
    with pytest.raises(ValueError, match=r"a\.h5: .* fixed format: write it with format='table'"):
        HDF5Interactions(tmp_path / "a.h5")


def test_ids_beyond_the_counts_are_refused(path: Path) -> None:
    with pytest.raises(ValueError, match=r"a\.h5 has item_id 5 in rows 0 to 5, must be in 0\.\.4"):
        HDF5Interactions(path, num_users=3, num_items=5)[(0, 6)]


def test_negative_ids_are_refused(tmp_path: Path) -> None:
    append(tmp_path / "a.h5", FRAME.assign(user_id=-FRAME.user_id))
    with pytest.raises(ValueError, match=r"a\.h5: user_id -1 at row 3 is negative"):
        HDF5Interactions(tmp_path / "a.h5")


@pytest.mark.parametrize("left", [0.3, 0.9])
def test_truncated_file_is_named(path: Path, left: float) -> None:
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * left)])
    with pytest.raises(ValueError, match=r"a\.h5 is cut short or damaged"):
        HDF5Interactions(path)


@pytest.mark.parametrize("complib", ["zlib", "bzip2", "blosc:lz4", "blosc:zstd", "blosc2"])
def test_compressions_of_pandas_are_read(tmp_path: Path, complib: str) -> None:
    path = append(tmp_path / "a.h5", FRAME, complib=complib)
    assert read_columns(path)["item_id"].tolist() == ITEMS


def test_the_plugin_is_imported_for_compressed_files_alone(tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # pandas: blosc without a level is none
        plain = append(tmp_path / "plain.h5", FRAME, complevel=None)
    assert read_elsewhere(append(tmp_path / "a.h5", FRAME)).stdout == "True\n"
    assert read_elsewhere(plain).stdout == "False\n"


def test_the_plugin_that_is_not_installed_is_named(tmp_path: Path) -> None:
    path = append(tmp_path / "a.h5", FRAME)
    done = read_elsewhere(path, "import sys; sys.modules['hdf5plugin'] = None")
    assert "a.h5: the table is compressed with ['blosc']" in done.stderr
    assert "install collie-pipeline[pytables]" in done.stderr


def read_elsewhere(path: Path, before: str = "import sys") -> subprocess.CompletedProcess[str]:
    """Read `path` in a new process, which prints whether it has imported the plugin."""
    code = (
        f"{before}\n"
        "from collie_core.interactions import HDF5Interactions\n"
        "HDF5Interactions(sys.argv[1])[(0, 6)]\n"
        "print('hdf5plugin' in sys.modules)"
    )
    return subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=False
    )


class Touch:
    """What creates a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return open, (str(self.path), "w")


@pytest.mark.parametrize("protocol", [0, 2])
def test_a_pickle_is_refused_and_never_run(tmp_path: Path, protocol: int) -> None:
    evil = pickle.dumps(["user_id", Touch(tmp_path / "touched")], protocol)
    path = renamed(append(tmp_path / "a.h5", FRAME), np.void(evil) if protocol else np.bytes_(evil))
    with pytest.raises(ValueError, match=r"a\.h5: the names of values_block_0 are refused"):
        HDF5Interactions(path)
    assert not (tmp_path / "touched").exists()
    pickle.loads(evil)[1].close()  # noqa: S301 - the pickle does what it is feared to do
    assert (tmp_path / "touched").exists()


@pytest.mark.parametrize(
    ("kept", "message"),
    [
        (np.bytes_(b"(lp0\nVuser_id\np1\na"), "exhausted before seeing STOP"),
        (np.bytes_(b"user_id,item_id"), "names of values_block_0 are refused"),
        (np.bytes_(pickle.dumps(["user_id", 7], 0)), "INT is in a pickle"),
        (np.bytes_(pickle.dumps({"user_id": "a"}, 0)), "DICT is in a pickle"),
        (np.bytes_(pickle.dumps(["user_id"], 0)), "has 1 names of 2 columns"),
        (np.int64(1 << 60), "int64 is no pickle"),
        (h5py.Empty("S1"), "Empty is no pickle"),
    ],
)
def test_names_that_are_no_strings_are_refused(tmp_path: Path, kept: Any, message: str) -> None:
    path = renamed(append(tmp_path / "a.h5", FRAME), kept)
    with pytest.raises(ValueError, match=rf"a\.h5: .*{message}.* write the file again"):
        HDF5Interactions(path)


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), unique=True), st.integers(0, 5))
def test_strings_of_a_pickle_are_those_that_pickle_reads(names: list[str], protocol: int) -> None:
    assert strings_in(pickle.dumps(names, protocol)) == names


@given(st.binary(max_size=60))
def test_any_bytes_are_strings_or_a_value_error(pickled: bytes) -> None:
    try:
        strings = strings_in(pickled)
    except ValueError:
        return
    opcodes = {opcode.name for opcode, _, _ in pickletools.genops(pickled)}
    assert all(isinstance(text, str) for text in strings)
    assert not opcodes & {"GLOBAL", "STACK_GLOBAL", "REDUCE", "INST", "OBJ", "NEWOBJ", "BUILD"}
