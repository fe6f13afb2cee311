"""Kinds of bad ratings and timestamps."""

from datetime import UTC, date, datetime, timedelta

import pandas as pd
import pyarrow as pa
from kind import WEEK, Kind, changed, noon, parquet, sound, table

from collie_pipeline.weeks import Week

SUMMER = Week.parse("2025-03-24")  # ends with the hour that Berlin does not have
LATER = datetime.now(UTC) + timedelta(days=400)


def rating(what: str, value: object, reason: str) -> Kind:
    """Return the kind of a row with the rating `value` in a CSV file."""
    return Kind(f"rating: {what}", changed(rating=value), reasons=(reason,))


RATINGS = (
    rating("empty", "", "missing_rating"),
    rating("NaN", "NaN", "missing_rating"),
    rating("inf", "inf", "infinite_rating"),
    rating("-inf", "-inf", "infinite_rating"),
    rating("beyond float32", "1e39", "infinite_rating"),
    rating("text", "good", "unparsable_rating"),
    rating("a decimal comma", "3,5", "unparsable_rating"),
    Kind(
        "rating: null in Parquet",
        parquet(rating=pa.array([5, None, 3])),
        reasons=("missing_rating",),
    ),
    Kind(
        "rating: true and false in Parquet",
        parquet(rating=pa.array([True, None, False])),
        error=("has true and false in column ['rating'], must be numbers", "files.columns"),
    ),
    Kind(
        "rating: out of prepare.rating_range",
        changed(rating=10),
        reasons=("rating_out_of_range",),
        prepare={"rating_range": [0.5, 5]},
    ),
    Kind(
        "rating: of another scale, without a range",
        changed(user_id="cyd", rating=10),
        ("ann", "cyd", "bob"),
    ),
)


def time(
    what: str, value: object, reason: str = "", unit: str = "s", kept: str = "", week: Week = WEEK
) -> Kind:
    """Return the kind of a row at `value`, between two sound ones in the same unit."""
    rows = sound(week, user_id=kept or "cyd", timestamp=value)
    for row in (rows[0], rows[-1]):
        seconds = int(str(row["timestamp"]))
        iso = datetime.fromtimestamp(seconds, UTC).isoformat()
        row["timestamp"] = {"iso": iso, "s": seconds, "ms": seconds * 1_000}[unit]
    names = ("ann", kept, "bob") if kept else ("ann", "bob")
    reasons = (reason,) if reason else ()
    return Kind(f"time: {what}", table(rows), names, reasons, files={"time_unit": unit}, week=week)


def all_times(what: str, values: list[object], unit: str, *error: str) -> Kind:
    """Return the kind of a file with none but bad times."""
    rows = [{**row, "timestamp": value} for row, value in zip(sound(rating=1), values, strict=True)]
    return Kind(f"times: {what}", table(rows), error=error, files={"time_unit": unit})


NOONS = [noon(day=day) for day in range(3)]
ISO = [datetime.fromtimestamp(each, UTC).isoformat() for each in NOONS]
UNUSABLE = "no usable timestamp among them"
TIMES = (
    time("seconds", noon() + 1, kept="cyd"),
    time("milliseconds among seconds", noon() * 1_000, "absurd_timestamp"),
    time("microseconds among seconds", noon() * 1_000_000, "absurd_timestamp"),
    time("seconds among milliseconds", noon(), "absurd_timestamp", "ms"),
    time("ISO with Z", "2026-01-05T13:00:00Z", unit="iso", kept="cyd"),
    time("ISO with another zone", "2026-01-05T18:30:00+05:30", unit="iso", kept="cyd"),
    time("ISO without a zone, which is UTC", "2026-01-05T13:00:00", unit="iso", kept="cyd"),
    time("the text now", "now", "unparsable_timestamp", "iso"),
    time("the text Today", "Today", "unparsable_timestamp", "iso"),
    time("year 1", "0001-01-01", "absurd_timestamp", "iso"),
    time("year 9999", "9999-12-31", "absurd_timestamp", "iso"),
    time("year 10000", "10000-01-01", "unparsable_timestamp", "iso"),
    time("zero", 0, "absurd_timestamp"),
    time("negative", -5, "absurd_timestamp"),
    time("empty", "", "missing_timestamp"),
    time("text", "soon", "unparsable_timestamp"),
    time("in the future", int(LATER.timestamp()), "timestamp_outside_week"),
    time(
        "the hour that summer time leaves out, without a zone",
        "2025-03-30T02:30:00",
        unit="iso",
        kept="cyd",
        week=SUMMER,
    ),
    time(
        "the hour that summer time leaves out, with one",
        "2025-03-30T02:30:00+01:00",
        unit="iso",
        kept="cyd",
        week=SUMMER,
    ),
    Kind(
        "time in Parquet: null",
        parquet(timestamp=pa.array([NOONS[0], None, NOONS[2]])),
        reasons=("missing_timestamp",),
    ),
    Kind(
        "time in Parquet: timestamp[ns]",
        parquet(timestamp=pa.array(pd.to_datetime(NOONS, unit="s"), pa.timestamp("ns"))),
        ("ann", "ann", "bob"),
    ),
    Kind(
        "time in Parquet: with a zone",
        parquet(
            timestamp=pa.array(
                [datetime.fromtimestamp(each, UTC) for each in NOONS],
                pa.timestamp("ms", "Europe/Berlin"),
            )
        ),
        ("ann", "ann", "bob"),
    ),
    Kind(
        "time in Parquet: a date",
        parquet(timestamp=pa.array([date(2026, 1, day) for day in (5, 6, 7)])),
        ("ann", "ann", "bob"),
    ),
    Kind(
        "time in Parquet: true and false",
        parquet(timestamp=pa.array([True, None, False])),
        error=("has true and false in column ['timestamp'], must be text, numbers or times",),
    ),
    all_times(
        "milliseconds for seconds",
        [each * 1_000 for each in NOONS],
        "s",
        UNUSABLE,
        "100% with 'ms'",
        "files.time_unit",
    ),
    all_times(
        "microseconds for seconds",
        [each * 1_000_000 for each in NOONS],
        "s",
        UNUSABLE,
        "100% with 'us'",
    ),
    all_times("seconds for milliseconds", list(NOONS), "ms", UNUSABLE, "100% with 's'"),
    all_times("ISO for seconds", list(ISO), "s", UNUSABLE, "100% with 'iso'"),
    all_times("seconds for ISO", list(NOONS), "iso", UNUSABLE, "100% with 's'"),
    all_times("day/month/year", ["05/01/2026"] * 3, "iso", UNUSABLE, "the first is '05/01/2026'"),
    all_times("all in the future", [LATER.isoformat()] * 3, "iso", UNUSABLE, "the first is"),
)
