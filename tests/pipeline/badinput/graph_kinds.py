"""Kinds of bad data that only the whole graph meets."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

import numpy as np
import pandas as pd
from id_kinds import AS_IS
from small_files import MONDAY, rows
from value_kinds import LATER

NEWEST = MONDAY + timedelta(weeks=3)
EVENTS = (
    "SELECT user_id, item_id, rating, timestamp FROM events "
    "WHERE timestamp >= :start AND timestamp < :end"
)
SMALL_LIGHT = {"models": {"names": ["popularity", "item_knn"]}, "window_weeks": 3}


@dataclass(frozen=True)
class Stopped:
    """A kind for which nothing is published, and what was published before serves on.

    Parameters
    ----------
    name : what is wrong, unique.
    table : makes the interactions.
    error : texts in the error, in order.
    settings : other than the default.
    """

    name: str
    table: Callable[[], pd.DataFrame]
    error: tuple[str, ...]
    settings: Mapping[str, object] = field(default_factory=dict)

    @property
    def outcome(self) -> str:
        """What becomes of it, for the table in the documentation."""
        return f"not published: {' … '.join(self.error)}"


@dataclass(frozen=True)
class Published:
    """A kind that is published beside all else."""

    name: str
    outcome: str


def in_newest(table: pd.DataFrame) -> "pd.Series[bool]":
    """Return which rows are of the newest week."""
    return pd.to_datetime(table["timestamp"]) >= NEWEST


def disliked_at_last() -> pd.DataFrame:
    """Return rows of which the newest week's are no positives."""
    table = rows()
    return table.assign(rating=table["rating"].mask(in_newest(table), 1))


def ten_times() -> pd.DataFrame:
    """Return rows with a newest week twelve times as large."""
    table = rows()
    newest = table[in_newest(table)]
    more = [newest.assign(user_id=newest["user_id"] + f"-{n}") for n in range(11)]
    return pd.concat([table, *more], ignore_index=True)


def with_stray() -> pd.DataFrame:
    """Return rows with one of long before the others."""
    return pd.concat([rows(), rows()[:1].assign(timestamp="2019-06-05")], ignore_index=True)


def newcomers() -> pd.DataFrame:
    """Return rows whose newest week has none of the users before."""
    table = rows()
    return table.assign(user_id=table["user_id"].mask(in_newest(table), "new-" + table["user_id"]))


STOPPED = (
    Stopped(
        "data: everything refused",
        lambda: rows().assign(user_id=""),
        (
            "check few_rows_refused failed",
            "60 of 60 rows",
            "missing_user_id",
            "see prepared/quarantine",
        ),
    ),
    Stopped(
        "data: a fifth refused",
        lambda: rows().assign(
            rating=lambda t: t["rating"].astype(str).mask(t.index % 10 == 0, "?")
        ),
        ("check few_rows_refused failed", "12 as unparsable_rating", "max_quarantined_share"),
    ),
    Stopped(
        "data: nothing is liked",
        lambda: rows().assign(rating=1),
        ("nothing is left of 180 clean rows", "prepare.min_rating", "lower these settings"),
    ),
    Stopped(
        "data: the column of ratings renamed in all files",
        lambda: rows().rename(columns={"rating": "stars"}),
        (
            "has no column rating, and raw/interactions of 2026-01-12 had one",
            "files.columns",
            "prepare.unrated_are_positives",
        ),
    ),
    Stopped(
        "data: no ratings where prepare.min_rating is set",
        lambda: rows().drop(columns="rating"),
        ("has no column rating", "files.columns"),
        {"prepare": {"min_rating": 4}},
    ),
    Stopped(
        "data: one item",
        lambda: rows().assign(item_id="i"),
        ("train and validation would have 0 of the 12 positives", "widen window_weeks"),
        {"prepare": {"min_user_interactions": 1}},
    ),
    Stopped(
        "data: no positives in the test week",
        disliked_at_last,
        ("test would have 0 of the 120 positives", "prepare.min_rating", "'stratified'"),
    ),
    Stopped(
        "data: more than ten times the rows of last week",
        ten_times,
        ("check usual_volume failed", "12.00 times the usual 60", "checks.max_volume_change"),
    ),
    Stopped(
        "data: a stray row years before the others, in a window that reaches there",
        with_stray,
        ("2025-12-29 has 0 rows", "set start to a later day"),
        {"window_weeks": 5},
    ),
)
DATABASES = (
    Stopped(
        "SQL: table missing",
        rows,
        ("sql.interactions", "events"),
        {"sql": {"interactions": EVENTS.replace("events", "no_events")}},
    ),
    Stopped(
        "SQL: connection lost half-way",
        rows,
        ("sql.interactions: the connection was lost",),
        {"sql": {"interactions": EVENTS.replace("rating,", "rating, pg_sleep(0.1),")}},
    ),
)
REASON = "short lists, with the reason too_few_candidates"
PUBLISHED = (
    Published("data: a user with every item", f"published, {REASON}"),
    Published("data: k larger than the candidates", f"published, {REASON}"),
    Published("data: metadata for unknown items", "left out"),
    Published("data: items without metadata", "published, under their ids; known_items warns"),
    Published("data: metadata with NaN", "published, as unknown"),
    Published(
        "data: an item of which two rows say two things",
        "published, as the last one says; unique_ids warns",
    ),
    *(Published(f"data: ids with {what}", "published as they are") for what in AS_IS),
    Published("data: one row in the future", "quarantine: timestamp_outside_week"),
)
ALONE = (
    Published(
        "file: written to while it is read",
        "error: changed while it was read … write files under another name and rename them",
    ),
    Published("file: swapped between two reads", "kept, read again"),
    Published("data: one user", f"published, {REASON}"),
    Published("data: all test users cold", "published; the board counts them"),
)


def oddities() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return interactions and items with all of `PUBLISHED` in them."""
    names = dict(zip(("u0", "u1", "u2"), AS_IS.values(), strict=True))
    items = dict(zip(("i0", "i1", "i2"), AS_IS.values(), strict=True))
    table = rows().replace({"user_id": names, "item_id": items})
    every = [
        ("all", name, 5, (MONDAY + timedelta(weeks=n % 3 + 1, hours=n)).isoformat())
        for n, name in enumerate(sorted(set(table["item_id"])))
    ]
    future = ("u3", "i3", 5, LATER.isoformat())
    known = pd.DataFrame(
        {
            "item_id": [*items.values(), "i4", "unheard of", np.nan, "i6", "i6"],
            "title": ["<b>bold</b>", "A (1999)", "=1+1", np.nan, "x", "y", "First", "Last"],
            "genres": ["<i>Drama</i>|War", "War", "NaN", np.nan, "x", "y", "Drama", "War"],
        }
    )
    more = pd.DataFrame([*every, future], columns=table.columns)
    return pd.concat([table, more], ignore_index=True), known
