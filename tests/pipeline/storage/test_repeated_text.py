from pathlib import Path

import dagster as dg
import pandas as pd
import pyarrow.parquet as pq
import pytest

from collie_pipeline.storage import ParquetIO
from collie_pipeline.storage.io_managers import REPEATED

KEY = dg.AssetKey(["prepared", "clean"])
WEEKS = ("2026-01-05", "2026-01-12", "2026-01-19")
PARTITIONS = dg.StaticPartitionsDefinition(WEEKS)


@dg.asset(key=KEY, partitions_def=PARTITIONS)
def clean_rows() -> None:
    """Rows whose users are categories, one of which no row has any more."""


def rows_of(users: list[str]) -> pd.DataFrame:
    ids = pd.Categorical(users, categories=[*users, "erased-soon"])
    return pd.DataFrame({"user_id": ids, "rating": range(len(users))})


@pytest.fixture
def manager(tmp_path: Path) -> ParquetIO:
    manager = ParquetIO(root=str(tmp_path))
    for week, users in zip(WEEKS, (["b", "a"], [], ["c", "a"]), strict=True):
        context = dg.build_output_context(
            asset_key=KEY, partition_key=week, asset_spec=clean_rows.specs_by_key[KEY]
        )
        manager.handle_output(context, rows_of(users))
    return manager


def read(manager: ParquetIO, *weeks: str, **metadata: object) -> pd.DataFrame:
    context = dg.build_input_context(
        asset_key=KEY,
        asset_partition_key_range=dg.PartitionKeyRange(weeks[0], weeks[-1]),
        asset_partitions_def=PARTITIONS,
        definition_metadata=metadata,
    )
    return manager.load_input(context)


def test_a_file_has_text_and_no_value_that_no_row_has(manager: ParquetIO) -> None:
    path = manager.path(KEY, WEEKS[0], ".parquet")
    assert pq.read_schema(path).field("user_id").type == "large_string"
    assert b"erased-soon" not in path.read_bytes()
    assert read(manager, WEEKS[0])["user_id"].dtype == "str"


def test_repeated_text_of_several_weeks_is_read_as_categories_of_all(manager: ParquetIO) -> None:
    whole = read(manager, *WEEKS, **{REPEATED: ["user_id"]})
    assert whole["user_id"].tolist() == ["b", "a", "c", "a"]
    assert sorted(whole["user_id"].cat.categories) == ["a", "b", "c"]
    assert whole["rating"].tolist() == [0, 1, 0, 1]
    assert whole.astype({"user_id": "str"}).equals(read(manager, *WEEKS))
