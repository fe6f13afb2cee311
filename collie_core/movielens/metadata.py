"""MovieLens 100K item metadata: genres and decades as columns of 0 and 1."""

import pandas as pd

from collie_core.movielens.read import GENRES, read_movielens_df_item

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
    if missing := sorted({*GENRES, "release_date"} - set(films.columns)):
        raise ValueError(f"df_item has no column {missing}: use read_movielens_df_item()")
    flags = films[[*GENRES[1:], GENRES[0]]].astype("int64").add_prefix("genre_")
    flags.columns = flags.columns.str.lower()
    years = pd.to_numeric(films["release_date"].str[-4:], errors="coerce")
    decades = (years % 100 // 10 * 10).map("{:.0f}".format, na_action="ignore").fillna("unknown")
    chosen = {f"decade_{name}": (decades == name).astype("int64") for name in DECADES}
    return pd.concat([flags, pd.DataFrame(chosen, index=films.index)], axis=1).reset_index(
        drop=True
    )
