"""What is wrong with the rows of a week."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from collie_pipeline.checking.finding import Finding
from collie_pipeline.sources.about import SAID_TWICE
from collie_pipeline.weeks import Week

STOPS = 10.0  # times the usual rows, or one part in so many of them: a broken source, not a holiday
CLEAN: Mapping[str, str] = {
    "user_id": "category",
    "item_id": "category",
    "rating": "float32",
    "timestamp": "datetime64[us, UTC]",
}


def volume(rows: int, earlier: Sequence[int], max_change: float) -> Finding:
    """Find whether `rows` are about as many as the mean of the `earlier` weeks.

    More than `max_change` times as many or as few are a warning; beyond `STOPS` times, unless
    `max_change` allows more, they are an error.
    """
    usual = float(np.mean(earlier)) if earlier else 0.0
    if not rows or not usual:
        return Finding(True, f"{rows} rows, with no others to compare", {"rows": rows})
    ratio = rows / usual
    change = max(ratio, 1 / ratio)
    said = (
        f"{rows:,} rows are {ratio:.2f} times the usual {usual:,.0f} of the {len(earlier)} weeks "
        f"before, may be {max_change:g} times as many or as few: check the source, or raise "
        "checks.max_volume_change"
    )
    numbers = {"rows": rows, "times_usual": ratio}
    return Finding(change <= max_change, said, numbers, warns=change <= max(STOPS, max_change))


def schema(clean: pd.DataFrame) -> Finding:
    """Find whether clean rows have their columns, of their types, and no id or time is null."""
    found = {str(name): str(kind) for name, kind in clean.dtypes.items()}
    wrong = sorted(
        name for name in CLEAN.keys() | found.keys() if CLEAN.get(name) != found.get(name)
    )
    required = clean.columns.intersection(["user_id", "item_id", "timestamp"])
    nulls = int(clean[required].isna().to_numpy().sum())
    return Finding(
        not wrong and not nulls,
        f"{wrong or 'no'} columns differ from {dict(CLEAN)}, and {nulls} ids or times are null, "
        "0 may be: see prepared/clean",
        {"wrong_columns": len(wrong), "nulls": nulls},
    )


def unique_rows(clean: pd.DataFrame) -> Finding:
    """Find whether no row is there twice; one user's two ratings at one time are a warning."""
    twice = int(clean.duplicated().sum())
    events = int(clean.duplicated(["user_id", "item_id", "timestamp"]).sum())
    return Finding(
        events == 0,
        f"{twice} rows are there twice, and {events - twice} differ from another in the rating "
        "alone, 0 may: see that the source says what happened once",
        {"duplicates": twice, "conflicts": events - twice},
        warns=twice == 0,
    )


def ranges(clean: pd.DataFrame, week: Week | None) -> Finding:
    """Find whether ratings are finite, or all null, and times inside `week`; None allows any."""
    ratings, times = clean["rating"], clean["timestamp"]
    infinite = int(np.isinf(ratings).sum())
    holes = int(ratings.isna().sum()) if ratings.notna().any() else 0
    outside = 0
    if week is not None:
        outside = int(((times < week.start) | (times >= week.end)).sum())
    return Finding(
        not (infinite or holes or outside),
        f"{infinite} ratings are infinite, {holes} are null beside others that are not, and "
        f"{outside} rows are outside their week, 0 may be: see prepared/clean",
        {"infinite_ratings": infinite, "null_ratings": holes, "outside_week": outside},
    )


def known_items(item_ids: "pd.Series[str]", items: pd.DataFrame) -> Finding:
    """Find whether the items of interactions, (B,), are in the table `items`, if it has any."""
    known = item_ids.isin(items["item_id"].astype("str"))
    unknown = float(1 - known.mean()) if len(items) and len(item_ids) else 0.0
    return Finding(
        unknown == 0,
        f"{unknown:.2%} of the interactions are with items that raw/items does not have, 0% "
        "should be: their titles and genres are missing, add them to the source's items",
        {"unknown_share": unknown, "known_items": len(items)},
        warns=True,
    )


def unique_ids(table: pd.DataFrame, key: str) -> Finding:
    """Find whether a source says one thing of each id: of an id's rows, the last counts."""
    twice = int(table.attrs.get(SAID_TWICE, 0)) + int(table[key].duplicated().sum())
    return Finding(
        twice == 0,
        f"{twice} rows say something else of a {key} that another row has, 0 should: the last one "
        "counts; see that the source says one thing of each",
        {"said_twice": twice, "ids": table[key].nunique()},
        warns=True,
    )
