"""What a user of MovieLens 100K loved, and what a model recommends, side by side."""

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from collie_core.interactions.ids import at_least
from collie_core.movielens.posters import COLUMNS, read_movielens_posters_df
from collie_core.movielens.read import read_movielens_df, read_movielens_df_item
from collie_core.utils.columns import finite_ratings, require_columns
from collie_core.utils.html import df_to_html

if TYPE_CHECKING:  # it takes a second to import torch
    from collie_core.model import BasePipeline

LOVED_FROM = 4


def get_recommendation_visualizations(
    model: "BasePipeline",
    user_id: int,
    df_user: pd.DataFrame | None = None,
    df_item: pd.DataFrame | None = None,
    movielens_posters_df: pd.DataFrame | None = None,
    num_user_movies_to_display: int = 10,
    num_similar_movies: int = 10,
    filter_films: bool = True,
    shuffle: bool = True,
    detailed: bool = False,
    image_width: int = 500,
    *,
    seed: int | None = None,
) -> str:
    """Return HTML with films that a user loved and those that a model recommends.

    Ids in the frames begin at 1, as in GroupLens' files; the user and item 0 of the model are the
    user and item 1 here. A film without a poster is shown by its title. Where posters cannot be
    downloaded, the page says so and has titles alone.

    Parameters
    ----------
    model : trained on MovieLens 100K.
    user_id : from 1 on.
    df_user : ratings with user_id, item_id and rating; None reads `u.data`.
    df_item : films with item_id and movie_title; None reads `u.item`.
    movielens_posters_df : see `read_movielens_posters_df`, which is called if it is None.
    num_user_movies_to_display : how many films rated 4 or 5 to show.
    num_similar_movies : how many recommendations to show.
    filter_films : whether to leave out the films that the user has rated in `df_user`.
    shuffle : whether the loved films are shown in random order, not by item_id.
    detailed : whether to add how many of the first recommendations, nothing left out, the user has
        rated well, and how many badly.
    image_width : in pixels.
    seed : of `shuffle`; None draws one from the system's entropy.

    Raises
    ------
    ValueError
        If ids do not begin at 1, a column, a title or the user is unknown, the user loved no film,
        or none is left to recommend.
    """
    at_least("num_user_movies_to_display", num_user_movies_to_display, 1)
    at_least("num_similar_movies", num_similar_movies, 1)
    ratings = read_movielens_df(decrement_ids=False) if df_user is None else df_user
    titles = _titles(read_movielens_df_item() if df_item is None else df_item)
    loved, other = _rated(ratings, user_id)
    ranked = _ranked(model, user_id)
    recommended = _without(ranked, {*loved, *other} if filter_films else set(), user_id)
    shown = np.random.default_rng(seed).permutation(loved).tolist() if shuffle else loved
    page = _Page(titles, *_posters(movielens_posters_df), image_width)
    parts = [
        f"<h3>User {user_id}:</h3>{page.note}",
        page.table("Some loved films:", shown[:num_user_movies_to_display]),
        page.table("Recommended films:", recommended[:num_similar_movies]),
        _details(loved, other, ranked, num_similar_movies) if detailed else "",
    ]
    return "".join(parts)


@dataclass(frozen=True)
class _Page:
    """What is shown of films: their titles and posters, or a note why there are no posters."""

    titles: Mapping[int, str]
    posters: Mapping[int, str]
    note: str
    image_width: int

    def table(self, label: str, films: Sequence[int]) -> str:
        """Return a row of posters beneath the titles of `films`."""
        if strangers := [film for film in films if film not in self.titles]:
            raise ValueError(f"items {strangers} have no title, must be in df_item: use all films")
        posters = [self.posters.get(film) for film in films]
        table = pd.DataFrame({label: posters}, index=[self.titles[film] for film in films])
        return df_to_html(
            table, image_cols=label, transpose=True, image_width=self.image_width, max_num_rows=None
        )


def _titles(films: pd.DataFrame) -> dict[int, str]:
    require_columns(films, "item_id", "movie_title")
    _refuse_other_start("df_item", films, "item_id")
    return dict(zip(films["item_id"], films["movie_title"], strict=True))


def _posters(posters: pd.DataFrame | None) -> tuple[dict[int, str], str]:
    """Return the addresses by film, and what to say where there are none."""
    try:
        table = read_movielens_posters_df() if posters is None else posters
    except ConnectionError as error:
        return {}, f"<p>There are no posters: {html.escape(str(error))}</p>"
    require_columns(table, *COLUMNS)
    if (table["item_id"] < 1).any():
        raise ValueError("movielens_posters_df has an item_id below 1: count items from 1")
    return dict(zip(table["item_id"], table["url"], strict=True)), ""


def _rated(ratings: pd.DataFrame, user_id: int) -> tuple[list[int], list[int]]:
    """Return the films that the user rated 4 or 5, and the others that they rated, by item_id."""
    require_columns(ratings, "user_id", "item_id", "rating")
    for name in ("user_id", "item_id"):
        _refuse_other_start("df_user", ratings, name)
    theirs = ratings[ratings["user_id"] == user_id]
    is_loved = finite_ratings(theirs, "rating") >= LOVED_FROM
    loved = sorted(set(theirs["item_id"][is_loved].tolist()))
    if not loved:
        raise ValueError(
            f"user {user_id} has {len(theirs)} ratings in df_user, must have one of 4 or 5: choose "
            "another user"
        )
    return loved, sorted(set(theirs["item_id"].tolist()) - set(loved))


def _refuse_other_start(frame: str, table: pd.DataFrame, name: str) -> None:
    if (first := table[name].min()) != 1:
        raise ValueError(
            f"{frame} has {name}s from {first} on, must begin at 1: read it with "
            "decrement_ids=False, or add 1"
        )


def _ranked(model: "BasePipeline", user_id: int) -> list[int]:
    """Return all films by their score for the user, the best first."""
    if not 1 <= at_least("user_id", user_id, 1) <= model.num_users:
        raise ValueError(f"user_id is {user_id}, must be in 1..{model.num_users}: add 1 to the row")
    films: list[int] = (model.get_item_predictions(user_id - 1).index + 1).tolist()
    return films


def _without(ranked: Sequence[int], left_out: set[int], user_id: int) -> list[int]:
    films = [film for film in ranked if film not in left_out]
    if not films:
        raise ValueError(
            f"user {user_id} has rated all {len(ranked)} films, which leaves none to recommend: "
            "use filter_films=False"
        )
    return films


def _details(loved: Sequence[int], other: Sequence[int], ranked: Sequence[int], k: int) -> str:
    """Return how many films the user rated well and badly, and their shares of the first `k`."""
    first = set(ranked[:k])
    well, badly = (round(len(first.intersection(films)) / k * 100, 3) for films in (loved, other))
    return (
        f'<p style="margin:0">Rated 4 or 5: <strong>{len(loved)}</strong> films, which make up '
        f'<strong style="color:green">{well}%</strong> of the first {k} by score</p>'
        f'<p style="margin:0">Rated 1, 2 or 3: <strong>{len(other)}</strong> films, which make up '
        f'<strong style="color:red">{badly}%</strong> of the first {k} by score</p>'
    )
