"""What a source says about items and users, as one row of text an id."""

import numpy as np
import pandas as pd

from collie_pipeline.preparation.ids import text_ids
from collie_pipeline.preparation.missing import plain_text

SAID_TWICE = "said_twice"  # attribute of a table: rows that gave way to another of their id


def one_row_an_id(table: pd.DataFrame, key: str) -> pd.DataFrame:
    """Return `table` as text, sorted by `key`; the last of an id's rows stays, none without an id.

    Ids are spelt as `prepared/clean` spells them, so that both can be joined. The attribute
    `SAID_TWICE` counts the rows that said something else.
    """
    texts = table.apply(lambda column: plain_text(column.astype(object)))
    texts[key] = text_ids(table[key])
    texts = texts.dropna(subset=[key])
    kept = texts.drop_duplicates(key, keep="last").sort_values(key, ignore_index=True)
    kept.attrs[SAID_TWICE] = len(texts.drop_duplicates()) - len(kept)
    return kept


def genre_texts(genres: pd.Series, separator: str) -> pd.Series:
    """Return `genres`, lists or text with `separator` between, as text with "|" between them."""
    if genres.map(lambda value: isinstance(value, list | np.ndarray)).any():
        return genres.map("|".join, na_action="ignore")
    return plain_text(genres.astype(object)).str.replace(separator, "|", regex=False)
