from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from collie_core.interactions import Interactions
from collie_core.utils import create_ratings_matrix, df_to_interactions

FRAME = pd.DataFrame({"user_id": [0, 2, 2, 0], "item_id": [1, 0, 3, 1], "rating": [4, 5, 1, 2]})
DENSE = [[0, 4, 0, 0], [0, 0, 0, 0], [5, 0, 0, 1]]


def test_missing_ids_have_rows_and_the_first_of_duplicates_is_taken() -> None:
    matrix = create_ratings_matrix(FRAME)
    assert isinstance(matrix, np.ndarray)
    assert matrix.tolist() == DENSE


def test_sparse_and_dense_agree() -> None:
    matrix = create_ratings_matrix(FRAME, sparse=True)
    assert isinstance(matrix, sparse.coo_matrix)
    assert matrix.toarray().tolist() == DENSE


def test_columns_may_have_other_names() -> None:
    renamed = FRAME.set_axis(["who", "what", "stars"], axis="columns")
    matrix: Any = create_ratings_matrix(renamed, "who", "what", "stars")
    assert matrix.tolist() == DENSE


@pytest.mark.parametrize("function", [create_ratings_matrix, df_to_interactions])
def test_missing_column_is_refused_with_those_there_are(function: Any) -> None:
    with pytest.raises(ValueError, match=r"no column \['item'\], there are \['user_id', 'item_id'"):
        function(FRAME, item_col="item")


def test_interactions_have_the_rows_and_the_options() -> None:
    got = df_to_interactions(FRAME, allow_missing_ids=True, num_negative_samples=2)
    assert isinstance(got, Interactions)
    assert (got.toarray().tolist(), got.num_negative_samples) == (DENSE, 2)


def test_ratings_are_ones_without_their_column() -> None:
    options: Any = {"allow_missing_ids": True, "num_negative_samples": 2}
    got = df_to_interactions(FRAME[["user_id", "item_id"]], ratings_col=None, **options)
    assert got.ratings.tolist() == [1, 1, 1]


def test_nan_ratings_are_refused_with_their_row() -> None:
    with pytest.raises(ValueError, match="rating nan at row 1"):
        create_ratings_matrix(FRAME.assign(rating=[1, np.nan, 2, 3]))
