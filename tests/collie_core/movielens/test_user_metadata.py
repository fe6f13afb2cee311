from pathlib import Path

import pandas as pd
import pytest

from collie_core.movielens import get_user_metadata, read_movielens_df_user

REAL = Path(__file__).resolve().parents[4] / "shared" / "data" / "ml-100k"
USERS = pd.DataFrame(
    {
        "user_id": [1, 2, 3],
        "age": [24, 53, 7],
        "gender": ["M", "F", "F"],
        "occupation": ["writer", "artist", "writer"],
    }
)


def test_users_are_numbers_by_row() -> None:
    before = USERS.copy()
    metadata = get_user_metadata(USERS)
    assert metadata.columns.tolist() == ["age", "gender", "occupation_artist", "occupation_writer"]
    assert metadata.to_numpy().tolist() == [[24, 0, 0, 1], [53, 1, 1, 0], [7, 1, 0, 1]]
    pd.testing.assert_frame_equal(USERS, before)


def test_a_missing_column_is_refused() -> None:
    with pytest.raises(
        ValueError, match=r"df_user has no column \['age'\]: use read_movielens_df_u"
    ):
        get_user_metadata(USERS.drop(columns="age"))


def test_another_gender_is_refused() -> None:
    with pytest.raises(ValueError, match=r"gender \['X'\], must be F or M"):
        get_user_metadata(USERS.assign(gender="X"))


@pytest.mark.skipif(not REAL.is_dir(), reason=f"needs MovieLens 100K at {REAL}")
def test_the_real_users_have_their_documented_columns() -> None:
    users = read_movielens_df_user(folder=REAL)
    assert users.columns.tolist() == ["user_id", "age", "gender", "occupation", "zip"]
    metadata = get_user_metadata(users)
    assert metadata.shape == (943, 23)
    assert metadata.columns[:3].tolist() == ["age", "gender", "occupation_administrator"]
    assert metadata["gender"].sum() == 273
    assert (metadata.iloc[:, 2:].sum(axis=1) == 1).all()
