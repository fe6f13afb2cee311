import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from collie_core.interactions import Interactions
from collie_core.model import MatrixFactorizationModel
from collie_core.movielens import get_recommendation_visualizations, posters

USERS, ITEMS = 3, 12
LOVED = [2, 5, 7, 11]  # of user 2, who has rated 3 and 4 too


@pytest.fixture(scope="module")
def model() -> MatrixFactorizationModel:
    """Ranks film 12 first and film 1 last for everybody."""
    data = Interactions(mat=np.eye(USERS, ITEMS), num_negative_samples=1, seed=0)
    model = MatrixFactorizationModel(train=data, embedding_dim=1)
    for parameter in model.parameters():
        parameter.data.zero_()
    model.item_biases.weight.data[:, 0] = model.item_biases.weight.data.new_tensor(range(ITEMS))
    return model.eval()


@pytest.fixture
def frames() -> dict[str, pd.DataFrame]:
    ratings = [(2, film, 4 + film % 2) for film in LOVED] + [(2, 3, 3), (2, 4, 1), (1, 1, 5)]
    films = range(1, ITEMS + 1)
    return {
        "df_user": pd.DataFrame(ratings, columns=["user_id", "item_id", "rating"]),
        "df_item": pd.DataFrame({"item_id": films, "movie_title": [f"Film {i}" for i in films]}),
        "movielens_posters_df": pd.DataFrame(
            {"item_id": films, "url": [f"https://x/{i}.jpg" for i in films]}
        ),
    }


def films(page: str, table: int) -> list[int]:
    """The films in one of the tables: their titles, which must go with their posters."""
    shown = re.findall(r"<table.*?</table>", page, re.DOTALL)[table]
    titles = [int(title) for title in re.findall(r"<th>Film (\d+)</th>", shown)]
    assert [int(film) for film in re.findall(r"https://x/(\d+)\.jpg", shown)] == titles
    return titles


def test_page_has_what_was_loved_and_then_what_is_recommended(
    model: MatrixFactorizationModel, frames: dict[str, Any]
) -> None:
    page = get_recommendation_visualizations(model, 2, **frames, shuffle=False)
    assert page.startswith("<h3>User 2:</h3><table")
    assert films(page, 0) == LOVED
    assert films(page, 1) == [12, 10, 9, 8, 6, 1]
    assert page.index("Some loved films:") < page.index("Recommended films:")
    assert page.count('<img src="https://x/12.jpg" width=500>') == 1
    assert page.count("<table") == 2


def test_films_that_the_user_has_rated_are_left_out_only_if_asked(
    model: MatrixFactorizationModel, frames: dict[str, Any]
) -> None:
    page = get_recommendation_visualizations(model, 2, **frames, filter_films=False)
    assert films(page, 1) == list(range(12, 2, -1))


def test_numbers_and_width_are_heeded(
    model: MatrixFactorizationModel, frames: dict[str, Any]
) -> None:
    page = get_recommendation_visualizations(
        model, 2, **frames, num_user_movies_to_display=2, num_similar_movies=3, shuffle=False,
        image_width=77,
    )  # fmt: skip
    assert films(page, 0) == [2, 5]
    assert films(page, 1) == [12, 10, 9]
    assert page.count("width=77") == 5


def test_loaded_model_has_no_data_and_shows_the_same(
    model: MatrixFactorizationModel, frames: dict[str, Any], tmp_path: Path
) -> None:
    model.save_model(tmp_path / "model.pth")
    loaded = MatrixFactorizationModel(load_model_path=tmp_path / "model.pth")
    pages = [
        get_recommendation_visualizations(each, 2, **frames, seed=1) for each in (model, loaded)
    ]
    assert pages[0] == pages[1]


def test_shuffle_is_reproducible_and_chooses_among_all_that_was_loved(
    model: MatrixFactorizationModel, frames: dict[str, Any]
) -> None:
    options = {**frames, "num_user_movies_to_display": 3}
    state = np.random.get_state()[1].tolist()  # type: ignore[union-attr] # noqa: NPY002
    orders = [
        films(get_recommendation_visualizations(model, 2, **options, seed=seed), 0)
        for seed in [*range(20), *range(20)]
    ]
    assert orders[:20] == orders[20:]
    assert len({tuple(order) for order in orders}) > 5
    assert set().union(*orders) == set(LOVED)
    assert all(len(set(order)) == 3 for order in orders)
    assert np.random.get_state()[1].tolist() == state  # type: ignore[union-attr] # noqa: NPY002


def test_details_count_the_first_recommendations_before_any_is_left_out(
    model: MatrixFactorizationModel, frames: dict[str, Any]
) -> None:
    page = get_recommendation_visualizations(
        model, 2, **frames, detailed=True, num_similar_movies=9
    )  # the first nine are 12 to 4: of the loved ones 5, 7 and 11, and 4
    assert "<strong>4</strong> films" in page
    assert "<strong>2</strong> films" in page
    assert 'green">33.333%</strong>' in page
    assert 'red">11.111%</strong>' in page
    assert "%" not in get_recommendation_visualizations(model, 2, **frames)


def test_film_without_a_poster_is_shown_by_its_title(
    model: MatrixFactorizationModel, frames: dict[str, Any]
) -> None:
    some = frames["movielens_posters_df"].query("item_id not in [12, 2]").copy()
    some.loc[some["item_id"] == 10, "url"] = None
    page = get_recommendation_visualizations(model, 2, **{**frames, "movielens_posters_df": some})
    for film in (2, 10, 12):
        assert f"<th>Film {film}</th>" in page
    assert page.count("<img") == len(LOVED) + 6 - 3
    assert 'src=""' not in page


def test_titles_and_addresses_are_escaped(
    model: MatrixFactorizationModel, frames: dict[str, Any]
) -> None:
    frames["df_item"].loc[frames["df_item"]["item_id"] == 12, "movie_title"] = "<script>&"
    addresses = frames["movielens_posters_df"].set_index("item_id")["url"]
    addresses[10], addresses[9] = "javascript:alert(1)", 'https://x/"><script>'
    frames["movielens_posters_df"] = addresses.reset_index()
    page = get_recommendation_visualizations(model, 2, **frames)
    assert "<script" not in page
    assert "<th>&lt;script&gt;&amp;</th>" in page
    assert 'src="javascript' not in page


def test_without_network_the_page_says_why_it_has_no_posters(
    model: MatrixFactorizationModel,
    frames: dict[str, Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DATA_PATH", str(tmp_path / "a<b"))
    monkeypatch.setitem(
        posters.read_movielens_posters_df.__kwdefaults__, "url", "http://127.0.0.1:9/posters.csv"
    )
    page = get_recommendation_visualizations(model, 2, **{**frames, "movielens_posters_df": None})
    assert "<p>There are no posters: cannot download http://127.0.0.1:9/posters.csv" in page
    assert "a&lt;b" in page
    assert "<img" not in page
    assert page.count("<th>Film ") == len(LOVED) + 6


def test_frames_that_are_not_given_are_read_from_the_data_path(
    model: MatrixFactorizationModel,
    frames: dict[str, Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DATA_PATH", str(tmp_path))
    (tmp_path / "ml-100k").mkdir()
    flags = "|".join("0" * 19)
    lines = [f"{film}|Film {film}|01-Jan-1995|||{flags}\n" for film in range(1, ITEMS + 1)]
    (tmp_path / "ml-100k" / "u.item").write_text("".join(lines))
    (tmp_path / "ml-100k" / "u.user").touch()
    ratings = frames["df_user"].assign(timestamp=0)
    ratings.to_csv(tmp_path / "ml-100k" / "u.data", sep="\t", header=False, index=False)
    frames["movielens_posters_df"].to_csv(tmp_path / "movielens_posters.csv", index=False)
    page = get_recommendation_visualizations(model, 2, shuffle=False)
    assert page == get_recommendation_visualizations(model, 2, **frames, shuffle=False)


def test_frames_that_are_given_stay_as_they_are(
    model: MatrixFactorizationModel, frames: dict[str, Any]
) -> None:
    copies = {name: frame.copy() for name, frame in frames.items()}
    get_recommendation_visualizations(model, 2, **frames, detailed=True)
    for name, frame in frames.items():
        pd.testing.assert_frame_equal(frame, copies[name])


@pytest.mark.parametrize(
    ("frame", "column", "said"),
    [
        ("df_user", "user_id", "df_user has user_ids from 0 on, must begin at 1"),
        ("df_user", "item_id", "df_user has item_ids from 0 on, must begin at 1"),
        ("df_item", "item_id", "df_item has item_ids from 0 on, must begin at 1"),
        ("movielens_posters_df", "item_id", "movielens_posters_df has an item_id below 1"),
    ],
)
def test_ids_that_were_decremented_are_refused(
    model: MatrixFactorizationModel, frames: dict[str, Any], frame: str, column: str, said: str
) -> None:
    frames[frame] = frames[frame].assign(**{column: frames[frame][column] - 1})
    with pytest.raises(ValueError, match=said):
        get_recommendation_visualizations(model, 2, **frames)


@pytest.mark.parametrize(
    ("frame", "column"),
    [
        ("df_user", "user_id"),
        ("df_user", "item_id"),
        ("df_user", "rating"),
        ("df_item", "item_id"),
        ("df_item", "movie_title"),
        ("movielens_posters_df", "item_id"),
        ("movielens_posters_df", "url"),
    ],
)
def test_column_that_is_missing_is_named(
    model: MatrixFactorizationModel, frames: dict[str, Any], frame: str, column: str
) -> None:
    frames[frame] = frames[frame].drop(columns=column)
    with pytest.raises(ValueError, match=rf"no column \['{column}'\]"):
        get_recommendation_visualizations(model, 2, **frames)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"user_id": 3}, "user 3 has 0 ratings in df_user, must have one of 4 or 5"),
        ({"user_id": 0}, "user 0 has 0 ratings in df_user"),
        ({"user_id": 4}, "user_id is 4, must be in 1..3"),
        ({"num_similar_movies": 0}, "num_similar_movies is 0, must be at least 1"),
        ({"num_user_movies_to_display": 0}, "num_user_movies_to_display is 0, must be at least 1"),
    ],
)
def test_wrong_user_or_number_is_refused(
    model: MatrixFactorizationModel, frames: dict[str, Any], options: dict[str, Any], said: str
) -> None:
    frames["df_user"].loc[len(frames["df_user"])] = [4, 1, 5]
    with pytest.raises(ValueError, match=said):
        get_recommendation_visualizations(model, **{"user_id": 2, **frames, **options})


def test_user_who_loved_nothing_is_refused(
    model: MatrixFactorizationModel, frames: dict[str, Any]
) -> None:
    frames["df_user"]["rating"] = 3.9
    with pytest.raises(ValueError, match="user 2 has 6 ratings in df_user, must have one of 4 or"):
        get_recommendation_visualizations(model, 2, **frames)


def test_user_who_has_rated_everything_is_refused_unless_nothing_is_left_out(
    model: MatrixFactorizationModel, frames: dict[str, Any]
) -> None:
    every = range(1, ITEMS + 1)
    frames["df_user"] = pd.DataFrame({"user_id": 1, "item_id": every, "rating": 5})
    with pytest.raises(ValueError, match=r"user 1 has rated all 12 films.*filter_films=False"):
        get_recommendation_visualizations(model, 1, **frames)
    assert get_recommendation_visualizations(model, 1, **frames, filter_films=False)


def test_rating_that_is_nan_is_refused(
    model: MatrixFactorizationModel, frames: dict[str, Any]
) -> None:
    frames["df_user"].loc[0, "rating"] = np.nan
    with pytest.raises(ValueError, match="rating nan at row 0 is not finite"):
        get_recommendation_visualizations(model, 2, **frames)


def test_film_without_a_title_is_refused(
    model: MatrixFactorizationModel, frames: dict[str, Any]
) -> None:
    frames["df_item"] = frames["df_item"].query("item_id < 12")
    with pytest.raises(ValueError, match=r"items \[12\] have no title, must be in df_item"):
        get_recommendation_visualizations(model, 2, **frames)
