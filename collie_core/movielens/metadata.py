"""MovieLens 100K metadata of items and users as columns of numbers."""

import pandas as pd

from collie_core.movielens.read import GENRES, read_movielens_df_item, read_movielens_df_user

DECADES = ("unknown", "20", "30", "40", "50", "60", "70", "80", "90")


def get_movielens_metadata(df_item: pd.DataFrame | None = None) -> pd.DataFrame:
    """Return (N, 28) int64 of 0 and 1: the genres, then the decades of release.

    Parameters
    ----------
    df_item : what `read_movielens_df_item` returns; read if it is None. Row i of the result is
        row i of this, the item whose decremented id is i.

    Raises
    ------
    ValueError
        If `df_item` lacks a genre or the release date.
    """
    films = read_movielens_df_item() if df_item is None else df_item
    _require("df_item", films, {*GENRES, "release_date"})
    flags = films[[*GENRES[1:], GENRES[0]]].astype("int64").add_prefix("genre_")
    flags.columns = flags.columns.str.lower()
    years = pd.to_numeric(films["release_date"].str[-4:], errors="coerce")
    decades = (years % 100 // 10 * 10).map("{:.0f}".format, na_action="ignore").fillna("unknown")
    chosen = {f"decade_{name}": (decades == name).astype("int64") for name in DECADES}
    return pd.concat([flags, pd.DataFrame(chosen, index=films.index)], axis=1).reset_index(
        drop=True
    )


def get_user_metadata(df_user: pd.DataFrame | None = None) -> pd.DataFrame:
    """Return (U, 23) int64: age in years, gender (1 for F), then a 0 or 1 for each occupation.

    Parameters
    ----------
    df_user : what `read_movielens_df_user` returns, which is not changed; read if it is None. Row
        i of the result is row i of this, the user whose decremented id is i.

    Raises
    ------
    ValueError
        If `df_user` lacks a column, or has another gender than F and M.
    """
    users = read_movielens_df_user() if df_user is None else df_user
    _require("df_user", users, {"age", "gender", "occupation"})
    if strange := sorted(set(users["gender"]) - {"F", "M"}):
        raise ValueError(f"df_user has gender {strange}, must be F or M: fetch GroupLens' file")
    numbers = pd.DataFrame({"age": users["age"], "gender": users["gender"] == "F"})
    jobs = pd.get_dummies(users["occupation"], prefix="occupation")
    return pd.concat([numbers, jobs], axis=1).astype("int64").reset_index(drop=True)


def _require(name: str, table: pd.DataFrame, columns: set[str]) -> None:
    if missing := sorted(columns - set(table.columns)):
        reader = {"df_item": "read_movielens_df_item", "df_user": "read_movielens_df_user"}[name]
        raise ValueError(f"{name} has no column {missing}: use {reader}()")
