import numpy as np
import pandas as pd
import pytest

from collie_core.utils import convert_to_implicit, remove_users_with_fewer_than_n_interactions

FRAME = pd.DataFrame(
    {
        "user_id": [0, 0, 1, 0, 2],
        "item_id": [0, 1, 0, 0, 5],
        "rating": [3.5, 5.0, 4.0, 4.5, np.nan],
        "timestamp": [9, 8, 7, 6, 5],
    }
)


def test_high_ratings_become_ones_and_rows_keep_the_rest() -> None:
    expected = {"user_id": [0, 1, 0], "item_id": [1, 0, 0], "rating": [1] * 3}
    got = convert_to_implicit(FRAME.head(4))
    pd.testing.assert_frame_equal(got, pd.DataFrame(expected | {"timestamp": [8, 7, 6]}))


def test_the_first_of_a_pair_is_kept() -> None:
    got = convert_to_implicit(FRAME.head(4), min_rating_to_keep=3)
    assert got["timestamp"].tolist() == [9, 8, 7]


def test_the_frame_given_is_not_changed() -> None:
    frame = FRAME.head(4).copy()
    convert_to_implicit(frame)
    pd.testing.assert_frame_equal(frame, FRAME.head(4))


@pytest.mark.parametrize("dtype", ["float64", "Float64"])
def test_missing_ratings_are_refused_with_their_row(dtype: str) -> None:
    with pytest.raises(ValueError, match=r"rating nan at row 4 is not finite.*drop these rows"):
        convert_to_implicit(FRAME.astype({"rating": dtype}))


def test_ratings_as_text_are_refused() -> None:
    with pytest.raises(TypeError, match=r"must be numbers: use pandas\.to_numeric"):
        convert_to_implicit(FRAME.astype({"rating": str}))


@pytest.mark.parametrize("name", ["user_id", "item_id", "rating"])
def test_missing_column_is_refused_with_those_there_are(name: str) -> None:
    with pytest.raises(ValueError, match=rf"no column \['{name}'\], there are \["):
        convert_to_implicit(FRAME.drop(columns=name))


@pytest.mark.parametrize(("least", "kept"), [(1, [0, 1, 2, 3, 4]), (2, [0, 1, 3]), (4, [])])
def test_users_with_enough_rows_are_kept_in_order(least: int, kept: list[int]) -> None:
    got = remove_users_with_fewer_than_n_interactions(FRAME, min_num_of_interactions=least)
    pd.testing.assert_frame_equal(got, FRAME.iloc[kept].reset_index(drop=True))


def test_three_rows_are_enough_by_default() -> None:
    got = remove_users_with_fewer_than_n_interactions(FRAME)
    assert got["user_id"].tolist() == [0, 0, 0]


def test_missing_user_column_is_refused() -> None:
    with pytest.raises(ValueError, match=r"no column \['who'\]"):
        remove_users_with_fewer_than_n_interactions(FRAME, user_col="who")
