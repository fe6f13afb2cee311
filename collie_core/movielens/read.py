"""The MovieLens 100K files as data frames."""

from pathlib import Path

import pandas as pd

from collie_core.movielens.folder import movielens_folder

RATING_COLUMNS = ("user_id", "item_id", "rating", "timestamp")
USER_COLUMNS = ("user_id", "age", "gender", "occupation")
ABOUT_COLUMNS = ("item_id", "movie_title", "release_date", "video_release_date", "IMDb_URL")
_GENRES = (
    "unknown Action Adventure Animation Children Comedy Crime Documentary Drama Fantasy Film_Noir "
    "Horror Musical Mystery Romance Sci_Fi Thriller War Western"
)
GENRES = tuple(_GENRES.split())


def read_movielens_df(decrement_ids: bool = True, *, folder: Path | None = None) -> pd.DataFrame:
    """Return `u.data`: user_id, item_id, rating and timestamp (seconds since 1970), int64.

    Parameters
    ----------
    decrement_ids : count users and items from 0, as `Interactions` does, and not from 1.
    folder : see `movielens_folder`, which downloads the files if need be.

    Raises
    ------
    ValueError
        If a value is not an integer.
    """
    folder = movielens_folder(folder)
    texts = read_u_data(folder)
    ratings = texts.apply(pd.to_numeric, errors="coerce")
    if (wrong := ratings.isna().any(axis=1)).any():
        row = int(wrong.to_numpy().argmax())
        raise ValueError(
            f"{folder / 'u.data'} has {texts.iloc[row].tolist()} at line {row + 1}, must have four "
            "integers: fetch the file again"
        )
    whole: pd.DataFrame = ratings.astype("int64")
    whole[["user_id", "item_id"]] -= int(decrement_ids)
    return whole


def read_movielens_df_item(*, folder: Path | None = None) -> pd.DataFrame:
    """Return `u.item`: item_id from 1, title, dates, URL, and 19 genres that are 0 or 1.

    See `read_movielens_df` for `folder`.
    """
    path = movielens_folder(folder) / "u.item"
    types = dict.fromkeys(ABOUT_COLUMNS[1:], "str") | dict.fromkeys(("item_id", *GENRES), "int64")
    return _table(path, "|", (*ABOUT_COLUMNS, *GENRES), types)


def read_movielens_df_user(*, folder: Path | None = None) -> pd.DataFrame:
    """Return `u.user`: user_id from 1, age in years, gender (F or M), occupation, zip (text).

    See `read_movielens_df` for `folder`.
    """
    types = dict.fromkeys((*USER_COLUMNS, "zip"), "str") | {"user_id": "int64", "age": "int64"}
    return _table(movielens_folder(folder) / "u.user", "|", (*USER_COLUMNS, "zip"), types)


def read_u_data(folder: Path) -> pd.DataFrame:
    """Return `u.data` of `folder` as it is, every value a text."""
    return _table(folder / "u.data", "\t", RATING_COLUMNS, "str")


def read_u_user(folder: Path) -> pd.DataFrame:
    """Return `u.user` of `folder` as text, without postal codes: they tell who it is."""
    return _table(folder / "u.user", "|", (*USER_COLUMNS, "zip"), "str")[list(USER_COLUMNS)]


def _table(
    path: Path, separator: str, names: tuple[str, ...], types: str | dict[str, str]
) -> pd.DataFrame:
    try:
        return pd.read_csv(
            path,
            sep=separator,
            names=list(names),
            dtype=types,
            encoding="latin-1",
            quoting=3,
            keep_default_na=False,
            na_values={"release_date": [""], "video_release_date": [""], "IMDb_URL": [""]},
            index_col=False,
        )
    except ValueError as error:
        raise ValueError(
            f"{path} does not have the columns {list(names)} ({error}): fetch GroupLens' file again"
        ) from error
