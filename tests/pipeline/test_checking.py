from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from collie_core.baselines import Popularity
from collie_core.bundle import save_bundle
from collie_core.utils import pandas_df_to_hdf5
from collie_pipeline.checking import (
    as_hashed,
    finite,
    in_order,
    known_items,
    metrics,
    ranges,
    schema,
    separate,
    unique_ids,
    unique_rows,
    volume,
)
from collie_pipeline.preparation import clean
from collie_pipeline.sources.about import one_row_an_id
from collie_pipeline.storage import Publication, publish
from collie_pipeline.weeks import Week

WEEK = Week.parse("2026-01-05")
NOON = WEEK.start.timestamp() + 43_200
RAW = pd.DataFrame(
    [("ann", "w", 4.0), ("ann", "x", 5.0), ("bob", "x", 1.0)],
    columns=["user_id", "item_id", "rating"],
).assign(timestamp=NOON, source_row=[1, 2, 3])
SOUND = clean(RAW, WEEK)[0]


@pytest.mark.parametrize(
    ("rows", "passed", "warns"),
    [
        (100, True, True),
        (300, True, True),
        (301, False, True),
        (33, False, True),
        (1_000, False, True),
        (1_001, False, False),
        (9, False, False),
    ],
)
def test_a_volume_far_from_the_usual_warns_and_one_out_of_all_proportion_stops(
    rows: int, passed: bool, warns: bool
) -> None:
    finding = volume(rows, [50, 150], max_change=3.0)
    assert (finding.passed, finding.warns) == (passed, warns)
    assert finding.numbers == {"rows": rows, "times_usual": rows / 100}


@pytest.mark.parametrize(("rows", "earlier"), [(5, []), (5, [0, 0]), (0, [100])])
def test_a_volume_without_others_is_no_fault(rows: int, earlier: list[int]) -> None:
    assert volume(rows, earlier, max_change=3.0).passed


def test_a_wide_setting_is_the_one_that_stops() -> None:
    assert volume(1_900, [100], max_change=20.0).passed
    assert volume(900, [100], max_change=20.0).passed
    assert not volume(2_100, [100], max_change=20.0).warns


def test_sound_rows_pass_every_check() -> None:
    assert schema(SOUND).passed
    assert unique_rows(SOUND).passed
    assert ranges(SOUND, WEEK).passed


def test_a_week_without_rows_passes_every_check() -> None:
    nothing = clean(RAW.iloc[:0], WEEK)[0]
    assert schema(nothing).passed
    assert unique_rows(nothing).passed
    assert ranges(nothing, WEEK).passed


def test_a_source_without_ratings_passes() -> None:
    unrated = clean(RAW.drop(columns="rating"), WEEK)[0]
    assert schema(unrated).passed
    assert ranges(unrated, WEEK).passed


@pytest.mark.parametrize(
    ("broken", "named"),
    [
        (SOUND.astype({"rating": "float64"}), "rating"),
        (SOUND.astype({"user_id": "object"}), "user_id"),
        (SOUND.assign(timestamp=SOUND["timestamp"].dt.tz_localize(None)), "timestamp"),
        (SOUND.drop(columns="item_id"), "item_id"),
        (SOUND.assign(secret=1), "secret"),
        (SOUND.iloc[:0].assign(secret=1), "secret"),
        (SOUND.assign(user_id=SOUND["user_id"].where(SOUND["rating"] > 1)), "1 ids or times"),
    ],
)
def test_a_table_of_another_shape_is_named(broken: pd.DataFrame, named: str) -> None:
    finding = schema(broken)
    assert not finding.passed
    assert not finding.warns
    assert named in finding.said


def test_a_row_that_is_there_twice_is_an_error_and_another_rating_a_warning() -> None:
    twice = unique_rows(pd.concat([SOUND, SOUND.iloc[[0]]]))
    assert (twice.passed, twice.warns) == (False, False)
    other = unique_rows(pd.concat([SOUND, SOUND.iloc[[0]].assign(rating=np.float32(2))]))
    assert (other.passed, other.warns) == (False, True)
    assert other.numbers == {"duplicates": 0, "conflicts": 1}


@pytest.mark.parametrize(
    ("column", "value", "number"),
    [
        ("rating", np.inf, "infinite_ratings"),
        ("rating", np.nan, "null_ratings"),
        ("timestamp", WEEK.end, "outside_week"),
        ("timestamp", WEEK.previous.start, "outside_week"),
    ],
)
def test_a_value_out_of_range_is_counted(column: str, value: object, number: str) -> None:
    broken = SOUND.copy()
    broken.loc[1, column] = value
    finding = ranges(broken, WEEK)
    assert not finding.passed
    assert {name for name, count in finding.numbers.items() if count} == {number}


def test_a_snapshot_may_be_of_any_time() -> None:
    assert ranges(SOUND.assign(timestamp=WEEK.end), None).passed


def test_unknown_items_are_a_share_and_a_warning() -> None:
    items = pd.DataFrame({"item_id": ["w", "other"]})
    finding = known_items(SOUND["item_id"], items)
    assert (finding.passed, finding.warns) == (False, True)
    assert finding.numbers["unknown_share"] == pytest.approx(2 / 3)
    assert known_items(SOUND["item_id"], pd.DataFrame({"item_id": ["w", "x"]})).passed


def test_a_source_that_describes_no_item_is_no_fault() -> None:
    assert known_items(SOUND["item_id"], pd.DataFrame({"item_id": []})).passed


@pytest.fixture
def part(tmp_path: Path) -> Callable[..., Path]:
    def write(name: str, *rows: tuple[int, int, int]) -> Path:
        table = pd.DataFrame(rows, columns=["user_id", "item_id", "timestamp"])
        pandas_df_to_hdf5(table, tmp_path / name, num_users=9, num_items=9)
        return tmp_path / name

    return write


def test_a_pair_in_two_parts_or_twice_in_one_is_found(part: Callable[..., Path]) -> None:
    train, test = part("a.h5", (0, 1, 10), (1, 0, 11)), part("b.h5", (0, 2, 20), (2, 1, 21))
    assert separate(train, test).passed
    assert separate(train, part("c.h5", (1, 0, 20))).numbers == {"repeated_pairs": 1}
    assert not separate(part("d.h5", (0, 1, 10), (0, 1, 11)), test).passed


def test_a_row_later_than_the_next_part_is_found(part: Callable[..., Path]) -> None:
    train, test = part("a.h5", (0, 1, 10), (1, 0, 20)), part("b.h5", (0, 2, 20), (2, 1, 21))
    assert in_order(train, test).passed
    early = part("c.h5", (3, 3, 19))
    assert in_order(train, early, test).numbers == {"future_rows": 1}
    assert not in_order(early, train, part("d.h5", (0, 2, 5))).passed


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_a_weight_that_is_no_number_is_found_and_named(value: float) -> None:
    arrays = {"items": torch.ones(3, 2), "counts": torch.tensor([1, 2])}
    assert finite(arrays).passed
    arrays["items"][1, 1] = value
    finding = finite(arrays)
    assert not finding.passed
    assert finding.numbers == {"not_finite": 1, "weights": 8}
    assert "in items" in finding.said


LISTS = pd.DataFrame({"user_id": ["ann"], "rank": [1], "item_id": ["w"]})
METRICS = ("auc", "hit_rate", "mapk", "mrr", "ndcg", "precision", "recall")
BOARD = pd.DataFrame(
    {f"{name}{end}": [0.5, 1.0] for name in METRICS for end in ("", "_low", "_high")}
)
BOARD = BOARD.assign(mapk_warm=0.5, mapk_cold=np.nan, recall_head=0.0, recall_tail=np.nan)
BOARD = BOARD.assign(model=["ease", "popularity"], vs_popularity=[-0.5, 0.0], mse=[np.nan, 4.0])


def test_a_board_passes_with_segments_of_nobody_and_an_auc_of_nobody() -> None:
    assert metrics(BOARD).passed
    assert metrics(BOARD.assign(auc=np.nan, auc_low=np.nan, auc_high=np.nan)).passed
    assert metrics(BOARD.assign(ndcg=[1 + 1e-12, 0.5])).passed


@pytest.mark.parametrize(
    ("column", "value", "number"),
    [
        ("mapk", 1.01, "outside"),
        ("recall_tail", -0.1, "outside"),
        ("ndcg_high", np.inf, "outside"),
        ("mrr", np.nan, "unknown"),
        ("auc", np.nan, "unknown"),
    ],
)
def test_a_metric_that_can_not_be_is_counted(column: str, value: float, number: str) -> None:
    broken = BOARD.copy()
    broken.loc[0, column] = value
    finding = metrics(broken)
    assert (finding.passed, finding.warns) == (False, False)
    assert finding.numbers == {"outside": 0, "unknown": 0, "models": 2, number: 1}


def test_an_id_of_which_two_things_are_said_is_counted_and_one_said_twice_is_not() -> None:
    rows = [("w", "A"), ("w", "A"), ("x", "B"), ("x", "C"), ("x", "B"), (None, "D")]
    table = one_row_an_id(pd.DataFrame(rows, columns=["item_id", "title"]), "item_id").fillna("")
    assert table["title"].tolist() == ["A", "B"]  # the last one counts
    finding = unique_ids(table, "item_id")
    assert (finding.passed, finding.warns) == (False, True)
    assert finding.numbers == {"said_twice": 1, "ids": 2}
    assert unique_ids(pd.DataFrame({"item_id": ["w", "x"]}), "item_id").passed
    assert not unique_ids(pd.DataFrame({"item_id": ["w", "w"]}), "item_id").passed


@pytest.fixture
def published(tmp_path: Path) -> Publication:
    bundle = tmp_path / "champion.bundle"
    save_bundle(Popularity(2, torch.ones(3)), bundle)
    return publish(tmp_path / "data", {"users": LISTS}, bundle, {"week": WEEK.key})


def test_a_publication_that_was_touched_is_found(published: Publication) -> None:
    assert as_hashed(published).passed
    content = published.table("users").read_bytes()
    published.table("users").write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    assert not as_hashed(published).passed


def test_a_publication_without_one_of_its_files_is_found(published: Publication) -> None:
    published.bundle.unlink()
    assert "do not all match" in as_hashed(published).said
