"""Addresses of the posters of MovieLens 100K films: fetched once, checked, kept with the data."""

import io

import pandas as pd

from collie_core.fetching import fetched
from collie_core.files import replacing
from collie_core.movielens.folder import cache_folder

NAME = "movielens_posters.csv"
URL = f"https://raw.githubusercontent.com/ShopRunner/collie/main/data/{NAME}"
MOST_BYTES = 4 << 20  # there are 1,682 films
COLUMNS = ("item_id", "url")
RULE = f"must be a CSV file with an item_id from 1 on, each once, and a url: fetch {URL} again"


def read_movielens_posters_df(*, url: str = URL) -> pd.DataFrame:
    """Return item_id, from 1 on, and url, missing for a film without a poster.

    They are read from ``movielens_posters.csv`` in `$DATA_PATH`, or in ``~/.cache/collie`` without
    the variable, which is downloaded if it is not there. No checksum of it is published, so what
    comes is kept only if it reads as such a table.

    Parameters
    ----------
    url : where to download it from.

    Raises
    ------
    ConnectionError
        If it is not there and cannot be downloaded; the message says how to do without.
    ValueError
        If the file, or what came in its place, is another kind of table.
    """
    path = cache_folder() / NAME
    if path.is_file():
        return _table(path.read_bytes(), str(path))
    way_out = f"fetch it elsewhere and put it at {path}, or set DATA_PATH to the folder it is in"
    content = fetched(url, MOST_BYTES, way_out)
    posters = _table(content, url)
    with replacing(path) as temporary:
        temporary.write_bytes(content)
    return posters


def _table(content: bytes, source: str) -> pd.DataFrame:
    try:
        types = {"item_id": "int64", "url": "str"}
        posters = pd.read_csv(io.BytesIO(content), usecols=list(COLUMNS), dtype=types)
    except ValueError as error:
        raise ValueError(f"{source} cannot be read ({error}), {RULE}") from error
    items = posters["item_id"]
    if posters.empty or items.min() < 1 or items.duplicated().any():
        raise ValueError(f"{source} has no items, one below 1 or one twice, {RULE}")
    return posters[list(COLUMNS)]
