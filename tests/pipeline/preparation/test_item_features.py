import numpy as np
import pandas as pd
import pytest

from collie_pipeline.preparation import item_features

ITEMS = pd.DataFrame(
    {
        "item_id": ["a", "b", "c", "d"],
        "title": ["The Third Man (1949)", "Alien (1979)", "No year", None],
        "genres": ["Noir|Drama", "Horror", "", None],
        "maker": ["Reed", "Scott", "Nobody", "Nobody"],
    }
)


def features(columns: list[str], bucket: str = "genres") -> pd.DataFrame:
    return item_features(ITEMS, ["c", "a", "x", "b"], columns, bucket)


def test_rows_are_those_of_the_models_items() -> None:
    table = features(["genres", "decade"])
    assert table["item_id"].tolist() == ["c", "a", "x", "b"]
    assert table["bucket"].tolist() == ["unknown", "Noir", "unknown", "Horror"]


def test_every_value_is_a_column_of_zeros_and_ones() -> None:
    table = features(["genres", "decade"]).set_index("item_id")
    assert table.columns[1:].tolist() == [
        "genres: Drama",
        "genres: Horror",
        "genres: Noir",
        "genres: unknown",
        "decade: 1940s",
        "decade: 1970s",
        "decade: unknown",
    ]
    assert table.loc["a"].to_numpy()[1:].tolist() == [1, 0, 1, 0, 1, 0, 0]
    assert table.loc["x"].to_numpy()[1:].tolist() == [0, 0, 0, 1, 0, 0, 1]
    assert set(table.dtypes.iloc[1:]) == {np.dtype("float32")}


def test_any_column_can_be_a_feature_and_the_bucket() -> None:
    table = features(["maker"], bucket="maker")
    assert table["bucket"].tolist() == ["Nobody", "Reed", "unknown", "Scott"]


def test_a_column_that_is_not_there_is_refused_with_the_known() -> None:
    with pytest.raises(
        ValueError, match=r"no column 'colour', must be one of \['decade', 'genres'"
    ):
        features(["colour"])
