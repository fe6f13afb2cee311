"""Rows as read, parted into typed rows and a quarantine that says why."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from collie_core.allocator import giving_memory_back
from collie_pipeline.preparation.faults import Faults
from collie_pipeline.preparation.ids import ParsedIds, parse_ids
from collie_pipeline.preparation.missing import parse_numbers, plain_text
from collie_pipeline.preparation.timestamps import Times, parse_times
from collie_pipeline.sections import Mode, TimeUnit
from collie_pipeline.weeks import Week

REQUIRED = ("user_id", "item_id", "source_row")
FAULT = "source_fault"  # a column with what the source itself saw is wrong with a row, one of these
AS_READ = ("user_id", "item_id", "rating", "timestamp")


@giving_memory_back
def clean(
    raw: pd.DataFrame,
    week: Week,
    mode: Mode = "events",
    time_unit: TimeUnit = "s",
    rating_range: tuple[float, float] | None = None,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the rows of `raw` that are sound, typed, and those that are not, each with its reason.

    Every row is in exactly one of the two. A source without ratings has no column `rating` and
    gets null ones; one without timestamps, possible in a snapshot, happened as its week began.

    Parameters
    ----------
    raw : user_id, item_id, perhaps rating and timestamp, of any type, source_row, and perhaps
        `FAULT`.
    week : the week the rows were read for.
    mode : in a `snapshot` rows may be of any week.
    time_unit : how numbers and text in `timestamp` are to be read.
    rating_range : the least and the greatest rating there may be; None allows any.

    Returns
    -------
    Clean rows sorted by timestamp, user_id, item_id, ids as categories, none that no row has;
    quarantined rows as text, sorted by source_row, with a `reason` out of `REASONS`.

    Raises
    ------
    ValueError
        If a column is missing.
    """
    _refuse_missing_columns(raw, mode)
    if not raw["source_row"].is_monotonic_increasing:
        raw = raw.sort_values("source_row", kind="stable")
    raw = raw.reset_index(drop=True)
    faults = Faults(len(raw))
    if FAULT in raw:
        for name in raw[FAULT].dropna().unique():
            faults.mark(raw[FAULT].eq(name).to_numpy(np.bool_), str(name))
    users, items = (_ids(raw, column, faults) for column in ("user_id", "item_id"))
    ratings = _ratings(raw, rating_range, faults)
    moments = _moments(raw, week, mode, time_unit, faults)
    rows = _in_order(users, items, ratings, moments, faults)
    refused = _quarantine(raw, faults)  # before the sound rows, which take the most memory
    sound = {
        "user_id": users.among(rows),
        "item_id": items.among(rows),
        "rating": ratings[rows],
        "timestamp": pd.Series(moments[rows], copy=False).astype("datetime64[us, UTC]"),
    }
    return pd.DataFrame(sound, copy=False), refused


def _refuse_missing_columns(raw: pd.DataFrame, mode: Mode) -> None:
    required = REQUIRED if mode == "snapshot" else (*REQUIRED, "timestamp")
    if missing := [column for column in required if column not in raw.columns]:
        raise ValueError(
            f"the rows as read have no column {missing}, only {list(raw.columns)}: "
            "name the file's columns in files.columns"
        )


def _ids(raw: pd.DataFrame, column: str, faults: Faults) -> ParsedIds:
    ids = parse_ids(raw[column])
    for name, rows in ids.faulty():
        faults.mark(rows, f"missing_{column}" if name == "missing" else f"{name}_id")
    return ids


def _ratings(
    raw: pd.DataFrame, allowed: tuple[float, float] | None, faults: Faults
) -> npt.NDArray[np.float32]:
    """Return the ratings, NaN where the source has none."""
    if "rating" not in raw.columns:
        return np.full(len(raw), np.nan, dtype=np.float32)
    values = raw["rating"]
    if values.dtype == object or values.dtype.kind in "mM":  # a date is no number
        values = plain_text(values)
    numbers, is_absent = parse_numbers(values)
    with np.errstate(over="ignore"):  # what overflows is quarantined as infinite
        ratings: npt.NDArray[np.float32] = numbers.astype(np.float32)
    faults.mark(is_absent, "missing_rating")
    faults.mark(np.isnan(ratings), "unparsable_rating")
    faults.mark(np.isinf(ratings), "infinite_rating")
    if allowed is not None:
        # as pandas compares: bounds in the ratings' precision
        faults.mark(~pd.Series(ratings).between(*allowed).to_numpy(), "rating_out_of_range")
    return ratings


def _moments(
    raw: pd.DataFrame, week: Week, mode: Mode, unit: TimeUnit, faults: Faults
) -> npt.NDArray[np.int64]:
    """Return when each row happened, in microseconds."""
    start, end = (int(edge.timestamp()) * 1_000_000 for edge in (week.start, week.end))
    if "timestamp" not in raw.columns:
        return np.full(len(raw), start)
    times: Times = parse_times(raw["timestamp"], unit)
    for name in ("absurd", "unparsable", "missing"):
        faults.mark(getattr(times, name), f"{name}_timestamp")
    if mode == "events":
        outside = (times.microseconds < start) | (times.microseconds >= end)
        faults.mark(outside, "timestamp_outside_week")
    return times.microseconds


def _in_order(
    users: ParsedIds,
    items: ParsedIds,
    ratings: npt.NDArray[np.float32],
    moments: npt.NDArray[np.int64],
    faults: Faults,
) -> npt.NDArray[np.int32]:
    """Return the sound rows by time, user, item and rating, and mark those that are there twice."""
    rows = np.argsort(moments, kind="stable").astype(np.int32)  # 2^31 rows would fill 100 GB
    rows = rows[faults.sound[rows]]
    # Few rows are of one time, and to sort by four columns takes five times as long as by one.
    ordered = moments[rows]
    same = ordered[1:] == ordered[:-1]
    del ordered
    tied = np.flatnonzero(np.append(same, False) | np.insert(same, 0, False))
    among, columns = rows[tied], (ratings, items.codes, users.codes, moments)
    among = rows[tied] = among[np.lexsort([column[among] for column in columns])]
    twice = np.zeros(len(moments), dtype=np.bool_)
    twice[among[1:][_are_alike(among, columns)]] = True  # of equal rows the first is first
    faults.mark(twice, "duplicate_row")
    return rows[~twice[rows]]


def _are_alike(
    rows: npt.NDArray[np.int32], columns: Sequence[npt.NDArray[Any]]
) -> npt.NDArray[np.bool_]:
    """Return whether each of `rows` but the first is as the one before it, where NaN equals NaN."""
    alike = np.ones(max(len(rows) - 1, 0), dtype=np.bool_)
    for column in columns:
        one, other = column[rows[1:]], column[rows[:-1]]
        alike &= (one == other) | (one != one) & (other != other)
    return alike


def _quarantine(raw: pd.DataFrame, faults: Faults) -> pd.DataFrame:
    is_refused = ~faults.sound  # asked of each column: of a whole frame it copies all rows
    reasons = faults.reasons()
    as_read = {
        column: plain_text(raw[column][is_refused])
        if column in raw.columns
        else pd.Series(None, index=reasons.index, dtype="str")
        for column in AS_READ
    }
    refused = pd.DataFrame({**as_read, "reason": reasons})
    numbers = raw["source_row"][is_refused].astype("int64")
    return refused.assign(source_row=numbers).reset_index(drop=True)
