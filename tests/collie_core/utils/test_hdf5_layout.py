from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collie_core.interactions import read_columns, read_ids
from collie_core.utils import hdf5 as module
from collie_core.utils import pandas_df_to_hdf5

FRAME = pd.DataFrame(
    {
        "user_id": [0, 2],
        "item_id": [1.0, 0.0],
        "rating": [4, 5],
        "timestamp": pd.to_datetime(["1970-01-01T00:00:01Z", "2024-02-03T04:05:06Z"]),
        "price": [0.5, 1.5],
    }
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a.h5"


def test_columns_have_the_types_of_the_layout(path: Path) -> None:
    pandas_df_to_hdf5(FRAME, path)
    columns = read_columns(path)
    assert {name: str(values.dtype) for name, values in columns.items()} == {
        "user_id": "int32",
        "item_id": "int32",
        "rating": "float32",
        "timestamp": "int64",
        "price": "float64",
    }
    assert columns["timestamp"].tolist() == [1_000_000, 1_706_933_106_000_000]


def test_counts_are_kept_with_the_columns(path: Path) -> None:
    pandas_df_to_hdf5(FRAME, path, num_items=9)
    with h5py.File(path) as file:
        assert dict(file["interactions"].attrs) == {"num_users": 3, "num_items": 9}


def test_counts_below_the_ids_are_refused(path: Path) -> None:
    with pytest.raises(ValueError, match="num_users is 2, but the largest id is 2"):
        pandas_df_to_hdf5(FRAME, path, num_users=2)
    assert not path.exists()


def test_columns_are_chunked(path: Path) -> None:
    pandas_df_to_hdf5(FRAME, path)
    with h5py.File(path) as file:
        assert file["interactions/user_id"].chunks == (2,)


@given(
    rows=st.lists(
        st.tuples(
            st.integers(0, 2**31 - 1), st.integers(0, 9), st.floats(-5, 5, width=32), st.booleans()
        ),
        min_size=1,
        max_size=30,
    )
)
@settings(max_examples=30, deadline=None)
def test_what_is_written_is_read(rows: list[Any], tmp_path_factory: Any) -> None:
    path = tmp_path_factory.mktemp("round") / "a.h5"
    frame = pd.DataFrame(rows, columns=["user_id", "item_id", "rating", "liked"])
    pandas_df_to_hdf5(frame, path)
    for name, values in read_columns(path).items():
        assert values.tolist() == frame[name].tolist()


def test_writing_twice_gives_the_same_bytes(path: Path) -> None:
    pandas_df_to_hdf5(FRAME, path, ids={"user_id": ["a", "b", "c"]})
    first = path.read_bytes()
    pandas_df_to_hdf5(FRAME, path, ids={"user_id": ["a", "b", "c"]})
    assert path.read_bytes() == first


def test_writing_replaces_what_was_there(path: Path) -> None:
    pandas_df_to_hdf5(FRAME, path, ids={"user_id": ["a", "b", "c"]})
    pandas_df_to_hdf5(FRAME.head(1)[["user_id", "item_id"]], path)
    assert {name: list(values) for name, values in read_columns(path).items()} == {
        "user_id": [0],
        "item_id": [1],
    }
    assert read_ids(path) == {}


def test_times_without_a_zone_are_utc(path: Path) -> None:
    pandas_df_to_hdf5(FRAME.assign(timestamp=FRAME["timestamp"].dt.tz_localize(None)), path)
    assert read_columns(path)["timestamp"].tolist() == [1_000_000, 1_706_933_106_000_000]


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"user_id": [0, np.nan]}, ValueError, "user_id nan at row 1 is missing"),
        ({"user_id": [0, -1]}, ValueError, "user_id -1 at row 1 is negative"),
        ({"item_id": [0, 2**40]}, ValueError, "item_id 1099511627776 at row 1 does not fit"),
        ({"user_id": ["a", "b"]}, TypeError, "user_id 'a' at row 0 is not a number"),
        ({"rating": [1, np.nan]}, ValueError, "rating nan at row 1 is not finite"),
        ({"price": ["a", "b"]}, TypeError, "column 'price' is .*, must be numbers or times"),
        ({"timestamp": [pd.Timestamp(0), pd.NaT]}, ValueError, "timestamp at row 1 is missing"),
    ],
)
def test_bad_values_are_refused_and_nothing_is_written(
    change: dict[str, Any], error: type[Exception], message: str, path: Path
) -> None:
    with pytest.raises(error, match=message):
        pandas_df_to_hdf5(FRAME.assign(**change), path)
    assert list(path.parent.iterdir()) == []


def test_no_rows_are_refused(path: Path) -> None:
    with pytest.raises(ValueError, match=r"0 rows for .*, must be at least 1"):
        pandas_df_to_hdf5(FRAME.head(0), path)


def test_failure_half_way_leaves_what_was_there(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pandas_df_to_hdf5(FRAME, path)
    before = path.read_bytes()

    def full_disk(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module, "create_column", full_disk)
    with pytest.raises(OSError, match="No space left"):
        pandas_df_to_hdf5(FRAME.head(1), path)
    assert [file.read_bytes() for file in path.parent.iterdir()] == [before]
