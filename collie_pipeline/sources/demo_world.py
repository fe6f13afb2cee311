"""The users, items and ratings behind the source `demo`, drawn from latent tastes."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import pandas as pd

from collie_pipeline.sections import Demo
from collie_pipeline.sources.demo_titles import titles
from collie_pipeline.weeks import Week

FIRST = Week.parse("2026-01-05")
_GENRES = "Drama Comedy Action Thriller Romance Adventure Crime Sci-Fi Horror Fantasy Animation War"
GENRES = tuple(_GENRES.split())
HOME_WEEKS = 12  # late users and items come in weeks 1 to 11, however many weeks are asked
LATE = 0.15
FACETS = 8  # tastes finer than a genre
FACET_STRENGTH = 0.35
TASTE = 2.0  # how strongly a taste decides what is picked
SKEW = 1.0  # the exponent of the popularity's Zipf law
DIRTY = 0.001
WEEK_SECONDS = 604_800
SECONDS_A_RATING = 60
Floats = npt.NDArray[np.float32]
Whole = npt.NDArray[np.int64]


@dataclass(frozen=True)
class World:
    """What does not change from week to week.

    Parameters
    ----------
    affinity : (U, N) how well an item fits a user, each user's of mean 0 and deviation 1.
    weight : (U, N) how likely a user picks an item, up to a factor.
    opinion : (U, N) the rating before noise.
    activity : (U,) the share of all ratings a user gives while everybody is there.
    user_arrivals, item_arrivals : (U,), (N,) the first week somebody, something is there.
    items : item_id, title, genres of all N.
    """

    affinity: Floats
    weight: Floats
    opinion: Floats
    activity: npt.NDArray[np.float64]
    user_arrivals: Whole
    item_arrivals: Whole
    items: pd.DataFrame


@lru_cache(maxsize=2)
def world(demo: Demo) -> World:
    """Return the users and items of `demo`."""
    rng = np.random.default_rng([demo.seed, 0])
    genres = _genres(demo.items, rng)
    affinity = _affinity(genres, demo.users, rng)
    popularity = rng.permutation(np.arange(1, demo.items + 1) ** -SKEW).astype(np.float32)
    quality = rng.normal(0, 0.3, demo.items) + 0.1 * np.log(popularity / popularity.mean())
    mildness = rng.normal(0, 0.3, (demo.users, 1))
    activity = np.exp(rng.normal(0, 0.7, demo.users))
    item_arrivals = _arrivals(demo.items, rng)
    return World(
        affinity=affinity,
        weight=np.exp(TASTE * affinity) * popularity,
        # What is picked fits better than the average: the constant brings the mean to 3.5.
        opinion=(2.68 + 0.6 * affinity + quality + mildness).astype(np.float32),
        activity=activity / activity.sum(),
        user_arrivals=_arrivals(demo.users, rng),
        item_arrivals=item_arrivals,
        items=_items(genres, item_arrivals, rng),
    )


@lru_cache(maxsize=2)
def ratings_by_week(demo: Demo) -> tuple[pd.DataFrame, ...]:
    """Return the rows of each week of `demo` as a source reads them, a few of them dirty."""
    return tuple(_rows(demo, *week) for week in _picks(demo))


def names(kind: str, numbers: Whole) -> npt.NDArray[np.str_]:
    """Return the outside ids of `numbers`, (B,): "user-00042"."""
    return np.array([f"{kind}-{number:05d}" for number in numbers.tolist()], dtype=np.str_)


def _genres(num_items: int, rng: np.random.Generator) -> npt.NDArray[np.bool_]:
    """Return (N, 12) the one to three genres of each item, some genres more common."""
    common = -np.log(np.arange(1, len(GENRES) + 1)) / 2
    order = np.argsort(-(common + rng.gumbel(size=(num_items, len(GENRES)))), axis=1)
    how_many = rng.choice([1, 2, 3], p=[0.35, 0.45, 0.2], size=(num_items, 1))
    return np.asarray(np.argsort(order, axis=1) < how_many)


def _affinity(genres: npt.NDArray[np.bool_], num_users: int, rng: np.random.Generator) -> Floats:
    likes = rng.dirichlet([0.25] * len(GENRES), num_users) * len(GENRES)
    kinds = genres / np.sqrt(genres.sum(axis=1, keepdims=True))
    facets = rng.normal(size=(len(genres), FACETS)), rng.normal(size=(num_users, FACETS))
    fit = (likes @ kinds.T + FACET_STRENGTH * facets[1] @ facets[0].T).astype(np.float32)
    fit -= fit.mean(axis=1, keepdims=True)
    return np.asarray(fit / fit.std(axis=1, keepdims=True))


def _arrivals(count: int, rng: np.random.Generator) -> Whole:
    late = rng.random(count) < LATE
    return np.where(late, rng.integers(1, HOME_WEEKS, count), 0)


def _items(
    genres: npt.NDArray[np.bool_], arrivals: Whole, rng: np.random.Generator
) -> pd.DataFrame:
    count = len(genres)
    age = np.minimum(rng.geometric(0.06, count), 75)
    years = np.where(arrivals > 0, FIRST.monday.year, FIRST.monday.year - age)
    titled = zip(titles(count, rng), years.tolist(), strict=True)
    return pd.DataFrame(
        {
            "item_id": names("item", np.arange(count)),
            "title": [f"{title} ({year})" for title, year in titled],
            "genres": ["|".join(np.compress(flags, GENRES)) for flags in genres],
        },
        dtype="str",
    )


def _picks(demo: Demo) -> Iterator[tuple[Whole, Whole, np.random.Generator, int]]:
    """Yield each week's users and items, (B,) and (B,), grouped by user; no pair comes twice."""
    here = world(demo)
    taken = np.zeros_like(here.weight, dtype=np.bool_)
    for week in range(demo.weeks):
        rng = np.random.default_rng([demo.seed, 1, week])  # its own: no week moves another
        present = np.flatnonzero(here.user_arrivals <= week)
        open_items = ~taken[present] & (here.item_arrivals <= week)
        shares = here.activity[present] / here.activity[present].sum()
        counts = rng.multinomial(demo.ratings // HOME_WEEKS, shares)
        counts = np.minimum(counts, open_items.sum(axis=1))
        # The first to finish an exponential race of these rates is a draw by weight.
        race = rng.standard_exponential(open_items.shape, dtype=np.float32)
        race = np.where(open_items, race / here.weight[present], np.inf)
        ranked = _fastest(race, counts.max(initial=1))
        picked = np.arange(ranked.shape[1]) < counts[:, None]
        users, items = np.repeat(present, counts), ranked[picked]
        taken[users, items] = True
        yield users, items, rng, week


def _fastest(race: Floats, count: int) -> Whole:
    """Return (U, count) the first to finish of each row of `race`, (U, N), in order."""
    first = np.argpartition(race, count - 1, axis=1)[:, :count]
    order = np.argsort(np.take_along_axis(race, first, axis=1), axis=1, kind="stable")
    return np.take_along_axis(first, order, axis=1)


def _rows(
    demo: Demo, users: Whole, items: Whole, rng: np.random.Generator, week: int
) -> pd.DataFrame:
    noisy = world(demo).opinion[users, items] + rng.normal(0, 0.7, len(users))
    seconds = int(FIRST.start.timestamp()) + week * WEEK_SECONDS + _seconds(users, rng)
    rows = pd.DataFrame(
        {
            "user_id": names("user", users),
            "item_id": names("item", items),
            "rating": np.clip(np.rint(noisy), 1, 5),
            "timestamp": seconds,
        }
    ).astype({"user_id": "str", "item_id": "str"})
    rows = pd.concat([rows, _dirty(rows, rng)]).sort_values(["timestamp", "user_id"], kind="stable")
    return rows.assign(source_row=np.arange(1, len(rows) + 1)).reset_index(drop=True)


def _seconds(users: Whole, rng: np.random.Generator) -> Whole:
    """Return when in the week each rating is given: one sitting a user, a minute a rating."""
    if not len(users):
        return users
    _, first, counts = np.unique(users, return_index=True, return_counts=True)
    place = np.arange(len(users)) - np.repeat(first, counts)
    latest = WEEK_SECONDS - SECONDS_A_RATING * counts
    sitting = np.repeat((rng.random(len(counts)) * latest).astype(np.int64), counts)
    jitter = rng.integers(0, SECONDS_A_RATING, len(users))
    return np.asarray(sitting + SECONDS_A_RATING * place + jitter)


def _dirty(rows: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Return copies of some rows with something missing, and of some with nothing changed."""
    dirty = rows.iloc[rng.integers(0, len(rows), math.ceil(DIRTY * len(rows)))].reset_index(
        drop=True
    )
    for number, column in enumerate(("user_id", "item_id", "rating")):
        dirty.loc[dirty.index[number::4], column] = np.nan
    return dirty
