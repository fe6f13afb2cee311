"""Rows as read, parted into typed rows and a quarantine that says why."""

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
import pandas as pd

from collie_pipeline.preparation.ids import parse_ids
from collie_pipeline.preparation.missing import is_missing, plain_text
from collie_pipeline.preparation.timestamps import Times, parse_times
from collie_pipeline.sections import Mode, TimeUnit
from collie_pipeline.weeks import Week

REASONS: Mapping[str, str] = MappingProxyType(
    {
        "ragged_row": "the line has more fields than the header, and stands whole in user_id",
        "missing_user_id": "user_id is null, empty, blank or nan",
        "missing_item_id": "item_id is null, empty, blank or nan",
        "negative_id": "user_id or item_id is a number below zero",
        "fractional_id": "user_id or item_id is a number with a fraction",
        "absurd_id": "user_id or item_id is infinite, 2**63 or more, longer than 256 characters, "
        "or holds a control character or U+FFFD, which stands for text that was lost",
        "missing_rating": "rating is null, empty, blank or nan where the source has ratings",
        "unparsable_rating": "rating is not a number",
        "infinite_rating": "rating is infinite, or too large for float32",
        "rating_out_of_range": "rating is outside prepare.rating_range",
        "missing_timestamp": "timestamp is null, empty or blank",
        "unparsable_timestamp": "timestamp is not a point in time in the source's unit",
        "absurd_timestamp": "timestamp is before 1971 or after 2200, as one in another unit is",
        "timestamp_outside_week": "timestamp is not in the week the row was read for, but in one "
        "that has not begun",
        "duplicate_row": "user_id, item_id, rating and timestamp are those of an earlier row",
    }
)
REQUIRED = ("user_id", "item_id", "source_row")
FAULT = "source_fault"  # a column with what the source itself saw is wrong with a row, one of these
AS_READ = ("user_id", "item_id", "rating", "timestamp")


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
    Clean rows sorted by timestamp, user_id, item_id; quarantined rows as text, sorted by
    source_row, with a `reason` out of `REASONS`.

    Raises
    ------
    ValueError
        If a column is missing.
    """
    _refuse_missing_columns(raw, mode)
    raw = raw.sort_values("source_row", kind="stable", ignore_index=True)
    reasons = raw.get(FAULT, pd.Series(None, index=raw.index)).astype("str")
    ids = {}
    for column in ("user_id", "item_id"):
        ids[column], fault = parse_ids(raw[column])
        missing = fault.eq("missing").fillna(False)
        reasons = reasons.fillna((fault + "_id").mask(missing, f"missing_{column}"))
    ratings, fault = _ratings(raw, rating_range)
    reasons = reasons.fillna(fault)
    timestamps, fault = _timestamps(raw, week, mode, time_unit)
    typed = pd.DataFrame({**ids, "rating": ratings, "timestamp": timestamps})
    reasons = _mark_duplicates(typed, reasons.fillna(fault))
    return _sound(typed, reasons), _quarantine(raw, reasons)


def _refuse_missing_columns(raw: pd.DataFrame, mode: Mode) -> None:
    required = REQUIRED if mode == "snapshot" else (*REQUIRED, "timestamp")
    if missing := [column for column in required if column not in raw.columns]:
        raise ValueError(
            f"the rows as read have no column {missing}, only {list(raw.columns)}: "
            "name the file's columns in files.columns"
        )


def _ratings(raw: pd.DataFrame, allowed: tuple[float, float] | None) -> tuple[pd.Series, pd.Series]:
    """Return the ratings as float32 and each row's fault, null where there is none."""
    faults = pd.Series(None, index=raw.index, dtype="str")
    if "rating" not in raw.columns:
        return pd.Series(np.nan, index=raw.index, dtype="float32"), faults
    values = raw["rating"]
    if values.dtype == object or values.dtype.kind in "mM":  # a date is no number
        values = plain_text(values)
    numbers = pd.to_numeric(values, errors="coerce").to_numpy(np.float64, na_value=np.nan)
    with np.errstate(over="ignore"):  # what overflows is quarantined as infinite
        ratings = pd.Series(numbers.astype(np.float32), index=raw.index)
    if allowed is not None:
        faults = faults.mask(~ratings.between(*allowed), "rating_out_of_range")
    faults = faults.mask(np.isinf(ratings), "infinite_rating")
    faults = faults.mask(np.isnan(ratings), "unparsable_rating")
    return ratings, faults.mask(is_missing(values), "missing_rating")


def _timestamps(
    raw: pd.DataFrame, week: Week, mode: Mode, unit: TimeUnit
) -> tuple[pd.Series, pd.Series]:
    """Return when each row happened and its fault, null where there is none."""
    faults = pd.Series(None, index=raw.index, dtype="str")
    start, end = (int(edge.timestamp()) * 1_000_000 for edge in (week.start, week.end))
    if "timestamp" not in raw.columns:
        return _moments(np.full(len(raw), start)), faults
    times: Times = parse_times(raw["timestamp"], unit)
    if mode == "events":
        outside = (times.microseconds < start) | (times.microseconds >= end)
        faults = faults.mask(outside, "timestamp_outside_week")
    for name in ("missing", "unparsable", "absurd"):
        faults = faults.mask(getattr(times, name), f"{name}_timestamp")
    return _moments(times.microseconds), faults


def _moments(microseconds: np.ndarray) -> pd.Series:
    return pd.Series(microseconds.astype("datetime64[us]")).dt.tz_localize("UTC")


def _mark_duplicates(typed: pd.DataFrame, reasons: pd.Series) -> pd.Series:
    sound = reasons.isna()
    return reasons.mask(sound & typed[sound].duplicated().reindex(typed.index), "duplicate_row")


def _sound(typed: pd.DataFrame, reasons: pd.Series) -> pd.DataFrame:
    order = ["timestamp", "user_id", "item_id", "rating"]
    return typed[reasons.isna()].sort_values(order, ignore_index=True)


def _quarantine(raw: pd.DataFrame, reasons: pd.Series) -> pd.DataFrame:
    refused = raw[reasons.notna()]
    as_read = {
        column: plain_text(refused[column])
        if column in raw.columns
        else pd.Series(None, index=refused.index, dtype="str")
        for column in AS_READ
    }
    whole = pd.DataFrame({**as_read, "reason": reasons[reasons.notna()]})
    return whole.assign(source_row=refused["source_row"].astype("int64")).reset_index(drop=True)
