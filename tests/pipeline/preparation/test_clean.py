import math
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collie_pipeline.preparation import REASONS, clean
from collie_pipeline.weeks import Week

WEEK = Week.parse("2026-01-05")
START = int(WEEK.start.timestamp())
SOUND = {"user_id": "u", "item_id": "i", "rating": "4", "timestamp": str(START)}


def rows(*changes: dict[str, object]) -> pd.DataFrame:
    """Rows as read, each sound but for its change."""
    table = pd.DataFrame([{**SOUND, **change} for change in changes])
    return table.assign(source_row=range(1, len(changes) + 1))


def reason_of(change: dict[str, object]) -> str:
    """The reason of a row alone; "" if it is clean."""
    sound, refused = clean(rows(change), WEEK)
    assert len(sound) + len(refused) == 1
    return refused["reason"].iloc[0] if len(refused) else ""


@pytest.mark.parametrize("missing", [None, "", "  ", "nan", "NaN", math.nan])
@pytest.mark.parametrize("column", ["user_id", "item_id", "rating", "timestamp"])
def test_missing_value_is_quarantined_by_its_column(column: str, missing: object) -> None:
    assert reason_of({column: missing}) == f"missing_{column}"


@pytest.mark.parametrize("column", ["user_id", "item_id"])
@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (-1, "negative_id"),
        (-3.0, "negative_id"),
        ("-17", "negative_id"),
        ("-2.5", "negative_id"),
        (1.5, "fractional_id"),
        (1e-9, "fractional_id"),
        ("0.25", "fractional_id"),
        (math.inf, "absurd_id"),
        (2.0**63, "absurd_id"),
        (1e300, "absurd_id"),
        (2**63, "absurd_id"),
        (np.uint64(2**64 - 1), "absurd_id"),
        (str(2**63), "absurd_id"),
        ("x" * 257, "absurd_id"),
        ("a\x00b", "absurd_id"),
        ("a\nb", "absurd_id"),
        ("a\x85b", "absurd_id"),
        (b"\xff\xfe", "absurd_id"),
    ],
)
def test_impossible_id_is_quarantined(column: str, value: object, reason: str) -> None:
    assert reason_of({column: value}) == reason


@pytest.mark.parametrize(
    ("value", "id_"),
    [
        (7, "7"),
        (7.0, "7"),
        ("7.0", "7"),
        (" 7 ", "7"),
        ("007", "007"),
        (0, "0"),
        (2**63 - 1, "9223372036854775807"),
        (str(2**63 - 1), "9223372036854775807"),
        ("0" * 30 + "1", "0" * 30 + "1"),
        ("x" * 256, "x" * 256),
        ("a-1", "a-1"),
        ("1.2.3", "1.2.3"),
        ("None", "None"),
        ("Größe 😀", "Größe 😀"),
        (b"caf\xc3\xa9", "café"),
        (True, "True"),
    ],
)
def test_possible_id_is_kept_as_text(value: object, id_: str) -> None:
    assert clean(rows({"user_id": value}), WEEK)[0]["user_id"].tolist() == [id_]


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("good", "unparsable_rating"),
        ("3,5", "unparsable_rating"),
        ("inf", "infinite_rating"),
        (-math.inf, "infinite_rating"),
        ("1e39", "infinite_rating"),
        ("3.5", ""),
        (-2, ""),
        (0, ""),
    ],
)
def test_rating_must_be_a_finite_number(value: object, reason: str) -> None:
    assert reason_of({"rating": value}) == reason


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (0.49, "rating_out_of_range"),
        (0.5, ""),
        (5, ""),
        ("5.01", "rating_out_of_range"),
        ("inf", "infinite_rating"),
        ("", "missing_rating"),
        ("x", "unparsable_rating"),
    ],
)
def test_rating_must_be_in_the_range_that_is_set(value: object, reason: str) -> None:
    sound, refused = clean(rows({"rating": value}), WEEK, rating_range=(0.5, 5))
    assert refused["reason"].tolist() == ([reason] if reason else [])
    assert len(sound) + len(refused) == 1


def test_dates_are_no_ratings() -> None:
    assert reason_of({"rating": pd.Timestamp("2026-01-05")}) == "unparsable_rating"


def test_what_the_source_saw_is_the_reason() -> None:
    raw = rows({}, {"user_id": None}).assign(source_fault=[None, "ragged_row"])
    assert clean(raw, WEEK)[1]["reason"].tolist() == ["ragged_row"]


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("soon", "unparsable_timestamp"),
        ("2026-01-05", "unparsable_timestamp"),
        (-1, "absurd_timestamp"),
        ("1e300", "absurd_timestamp"),
        (math.inf, "absurd_timestamp"),
        (7_258_118_400, "absurd_timestamp"),
        (START - 1, "timestamp_outside_week"),
        (START + 604_800, "timestamp_outside_week"),
        (0, "absurd_timestamp"),
        (31_535_999, "absurd_timestamp"),
        (31_536_000, "timestamp_outside_week"),
        (START, ""),
        (START + 604_799.999, ""),
    ],
)
def test_timestamp_must_be_in_the_week(value: object, reason: str) -> None:
    assert reason_of({"timestamp": value}) == reason


@pytest.mark.parametrize(
    ("value", "unit"),
    [
        (START, "s"),
        (str(START), "s"),
        (START * 1_000, "ms"),
        (START * 1_000_000, "us"),
        ("2026-01-05", "iso"),
        ("2026-01-05T01:00:00+01:00", "iso"),
        (" 2026-01-05T00:00:00Z ", "iso"),
        (pd.Timestamp("2026-01-05"), "s"),
        (pd.Timestamp("2026-01-05T05:30", tz="Asia/Kolkata"), "s"),
    ],
)
def test_timestamp_is_read_in_its_unit(value: object, unit: str) -> None:
    sound, _ = clean(rows({"timestamp": value}), WEEK, time_unit=unit)  # type: ignore[arg-type]
    assert sound["timestamp"].tolist() == [pd.Timestamp(WEEK.start)]


@pytest.mark.parametrize("value", ["9999-12-31", "0001-01-01"])
def test_absurd_dates_are_quarantined(value: str) -> None:
    refused = clean(rows({"timestamp": value}), WEEK, time_unit="iso")[1]
    assert refused["reason"].tolist() == ["absurd_timestamp"]


def test_microseconds_are_kept() -> None:
    moment = START * 1_000_000 + 123_457
    sound, _ = clean(rows({"timestamp": str(moment)}, {"timestamp": None}), WEEK, time_unit="us")
    assert sound["timestamp"].dt.microsecond.tolist() == [123_457]


def test_later_of_equal_rows_is_a_duplicate() -> None:
    sound, refused = clean(rows({}, {"rating": "4.0"}, {"rating": "5"}, {"user_id": " u"}), WEEK)
    assert sound["rating"].tolist() == [4, 5]
    assert refused["source_row"].tolist() == [2, 4]
    assert set(refused["reason"]) == {"duplicate_row"}


def test_refused_rows_are_no_originals_of_duplicates() -> None:
    refused = clean(rows({"rating": "x"}, {"rating": "x"}), WEEK)[1]
    assert refused["reason"].tolist() == ["unparsable_rating", "unparsable_rating"]


def test_first_reason_is_the_one_given() -> None:
    assert reason_of(dict.fromkeys(SOUND)) == "missing_user_id"


def test_quarantine_shows_the_row_as_read() -> None:
    refused = clean(rows({"user_id": " ", "rating": 4.5}), WEEK)[1]
    assert refused.to_dict("records") == [
        {**SOUND, "user_id": " ", "rating": "4.5", "reason": "missing_user_id", "source_row": 1}
    ]


def test_every_reason_has_a_sentence_and_its_names_are_closed() -> None:
    with pytest.raises(TypeError):
        REASONS["other"] = "no"  # type: ignore[index]
    assert all(len(sentence) > 20 for sentence in REASONS.values())


def test_clean_rows_are_typed_and_sorted() -> None:
    raw = rows({"user_id": "b"}, {"user_id": "a", "item_id": "z"}, {"user_id": "a"})
    sound = clean(raw.iloc[::-1], WEEK)[0]
    assert sound.dtypes.astype(str).to_dict() == {
        "user_id": "category",
        "item_id": "category",
        "rating": "float32",
        "timestamp": "datetime64[us, UTC]",
    }
    assert sound[["user_id", "item_id"]].to_numpy().tolist() == [["a", "i"], ["a", "z"], ["b", "i"]]


def test_source_without_ratings_has_null_ones() -> None:
    sound, refused = clean(rows({}).drop(columns="rating"), WEEK)
    assert sound["rating"].isna().all()
    assert len(refused) == 0


def test_snapshot_may_be_of_any_time() -> None:
    assert len(clean(rows({"timestamp": 86_400 * 365}), WEEK, mode="snapshot")[0]) == 1


def test_snapshot_without_timestamps_happened_as_its_week_began() -> None:
    sound, _ = clean(rows({}).drop(columns="timestamp"), WEEK, mode="snapshot")
    assert sound["timestamp"].tolist() == [pd.Timestamp(WEEK.start)]


@pytest.mark.parametrize("column", ["user_id", "item_id", "timestamp", "source_row"])
def test_missing_column_is_refused(column: str) -> None:
    with pytest.raises(ValueError, match=rf"no column \['{column}'\].*files\.columns"):
        clean(rows({}).drop(columns=column), WEEK)


def test_week_without_rows_gives_two_empty_tables_of_the_same_form() -> None:
    full = clean(rows({}, {"user_id": None}), WEEK)
    for empty, other in zip(clean(rows({}).iloc[:0], WEEK), full, strict=True):
        assert len(empty) == 0
        assert empty.dtypes.astype("str").to_dict() == other.dtypes.astype("str").to_dict()


def test_ids_of_refused_rows_are_no_categories() -> None:
    raw = rows({}, {"user_id": "gone", "item_id": "too", "rating": "x"})
    sound = clean(raw, WEEK)[0]
    assert [sound[each].cat.categories.tolist() for each in ("user_id", "item_id")] == [
        ["u"],
        ["i"],
    ]


def test_quarantine_can_be_stored_whatever_was_read(tmp_path: object) -> None:
    raw = rows({"user_id": "\ud800", "rating": [1]}, {"user_id": -1}, {"item_id": {"a": 1}})
    clean(raw, WEEK)[1].to_parquet(f"{tmp_path}/quarantine.parquet")


ANYTHING = st.one_of(
    st.none(),
    st.integers(-10, 2**64),
    st.floats(),
    st.text(max_size=6),
    st.booleans(),
    st.binary(max_size=3),
    st.sampled_from(["u", "4", str(START), START, "2026-01-06", datetime(2026, 1, 6, tzinfo=UTC)]),
)
MIXED = st.lists(st.tuples(ANYTHING, ANYTHING, ANYTHING, ANYTHING), max_size=8)


@settings(max_examples=40, deadline=None)
@given(MIXED, st.sampled_from(["events", "snapshot"]), st.sampled_from(["s", "ms", "us", "iso"]))
def test_every_row_is_in_exactly_one_table(
    values: list[tuple[object, ...]], mode: str, unit: str
) -> None:
    raw = pd.DataFrame(values, columns=list(SOUND)).assign(source_row=range(len(values)))
    sound, refused = clean(raw, WEEK, mode, unit)  # type: ignore[arg-type]
    assert len(sound) + len(refused) == len(raw)
    assert set(refused["reason"]) <= set(REASONS)
    assert not sound.isna().to_numpy().any()


@settings(max_examples=15, deadline=None)
@given(
    st.lists(st.sampled_from([{}, {"rating": "x"}, {"user_id": "v"}, {"item_id": ""}]), max_size=5)
)
def test_equal_input_gives_equal_output_in_any_order(changes: list[dict[str, object]]) -> None:
    raw = rows(*changes) if changes else rows({}).iloc[:0]
    for one, other in zip(clean(raw, WEEK), clean(raw.iloc[::-1], WEEK), strict=True):
        pd.testing.assert_frame_equal(one, other)
