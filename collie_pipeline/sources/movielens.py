"""The source `movielens-100k`: GroupLens' original files, downloaded once if no path is given."""

import hashlib
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from collie_core.movielens.folder import movielens_folder
from collie_core.movielens.read import GENRES, read_movielens_df_item, read_u_data, read_u_user
from collie_pipeline.sections import Mode, TimeUnit
from collie_pipeline.settings import Settings
from collie_pipeline.sources.by_week import Numbers, number_of, rows_of, span_of, week_numbers
from collie_pipeline.sources.digest import file_digest
from collie_pipeline.weeks import Week


class MovieLensSource:
    """943 users' 100,000 ratings of 1,682 films, over 32 weeks from September 1997."""

    name: str = "movielens-100k"
    grows: bool = False
    mode: Mode = "events"
    time_unit: TimeUnit = "s"

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def span(self) -> tuple[Week, Week]:
        """See `Source`."""
        return span_of(self._weeks, self.settings, self._folder / "u.data", len(self._weeks))

    def interactions(self, week: Week) -> pd.DataFrame:
        """See `Source`; `source_row` is the line of `u.data`."""
        own = rows_of(self._weeks, week, self.span()[1])
        return self._ratings[own].reset_index(drop=True)

    def items(self, week: Week) -> pd.DataFrame:
        """See `Source`: films released by the end of `week`, and those rated by then."""
        films = read_movielens_df_item(folder=self._folder)
        films["item_id"] = films["item_id"].astype("str")
        released = pd.to_datetime(films["release_date"], format="%d-%b-%Y", utc=True)
        rated = self._ratings.loc[self._weeks <= number_of(week), "item_id"]
        # Some are rated before the day that the file has for their release.
        known = released.isna() | (released < week.end) | films["item_id"].isin(rated.unique())
        genres = films[list(GENRES)].to_numpy(dtype=np.bool_)
        films["genres"] = ["|".join(np.compress(row, _SPELLED)) for row in genres]
        films = films.rename(columns={"movie_title": "title"})
        return films.loc[known, ["item_id", "title", "genres"]].reset_index(drop=True)

    def users(self, week: Week) -> pd.DataFrame:
        """See `Source`: those who have rated by the end of `week`, with what is said of them."""
        users = read_u_user(self._folder)
        rated = self._ratings.loc[self._weeks <= number_of(week), "user_id"]
        return users[users["user_id"].isin(rated.unique())].reset_index(drop=True)

    def fingerprint(self, week: Week) -> str:
        """See `Source`."""
        digests = [file_digest(self._folder / name) for name in ("u.data", "u.item", "u.user")]
        return hashlib.sha256(" ".join([*digests, week.key]).encode()).hexdigest()

    @cached_property
    def _folder(self) -> Path:
        return movielens_folder(self.settings.data_path)

    @cached_property
    def _ratings(self) -> pd.DataFrame:
        ratings = read_u_data(self._folder)
        return ratings.assign(source_row=np.arange(1, len(ratings) + 1))

    @cached_property
    def _weeks(self) -> Numbers:
        return week_numbers(self._ratings["timestamp"], self.time_unit)


_SPELLED = tuple("" if name == "unknown" else name.replace("_", "-") for name in GENRES)
