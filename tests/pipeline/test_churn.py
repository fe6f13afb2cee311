from pathlib import Path

import pandas as pd
import pytest
import torch

from collie_core.baselines import Popularity
from collie_core.bundle import save_bundle
from collie_pipeline.churn import calm, churn, published_lists
from collie_pipeline.storage import publish


def lists(*rows: tuple[str, str, str]) -> pd.DataFrame:
    """Return the lists of users, each a user, the letters of the items, and the source."""
    return pd.DataFrame(
        [
            (user, rank, item, source)
            for user, items, source in rows
            for rank, item in enumerate(items, start=1)
        ],
        columns=["user_id", "rank", "item_id", "source"],
    )


EARLIER = lists(("ann", "wx", "champion"), ("bob", "wx", "champion"), ("cy", "yz", "popularity"))


def by_segment(today: pd.DataFrame, earlier: pd.DataFrame | None) -> dict[str, list[float]]:
    table = churn(today, earlier).set_index("segment")
    return {str(name): list(row) for name, row in table.iterrows()}


def test_what_is_left_of_each_list_is_counted_by_segment() -> None:
    today = lists(
        ("ann", "wy", "champion"),  # half is left, the first is the same
        ("bob", "yz", "champion"),  # nothing is left
        ("cy", "zy", "popularity"),  # all is left, in another order
        ("dan", "wx", "popularity"),  # had none
    )
    assert by_segment(today, EARLIER) == {
        "all": [4, 1, 0.5, pytest.approx(2 / 3)],
        "champion": [2, 0, 0.25, 0.5],
        "popularity": [2, 1, 1.0, 1.0],
    }


def test_the_same_lists_keep_everything() -> None:
    assert by_segment(EARLIER, EARLIER)["all"] == [3, 0, 1.0, 0.0]


def test_lists_of_another_length_are_measured_by_the_earlier() -> None:
    today = lists(("ann", "wxyz", "champion"))
    assert by_segment(today, EARLIER)["all"][2] == 1.0
    assert by_segment(EARLIER, today)["all"][2] == 0.5


def test_a_list_that_is_gone_keeps_nothing_and_a_reason_is_no_list() -> None:
    reason = pd.DataFrame(
        {"user_id": ["ann"], "rank": [0], "item_id": [None], "source": ["too_few_candidates"]}
    )
    assert by_segment(reason, EARLIER)["all"] == [1, 0, 0.0, 1.0]
    found = by_segment(EARLIER, reason)["all"]
    assert found[:2] == [3, 3]
    assert pd.isna(found[2])


def test_the_first_publication_has_nothing_to_compare() -> None:
    table = churn(EARLIER, None)
    assert table["new_users"].tolist() == table["users"].tolist() == [3, 2, 1]
    assert table["kept"].isna().all()
    finding = calm(table, 0.1)
    assert finding.passed
    assert not finding.numbers


@pytest.mark.parametrize(
    ("max_churn", "passed"), [(None, True), (0.5, True), (0.49, False), (0.0, False)]
)
def test_more_change_than_is_allowed_warns(max_churn: float | None, passed: bool) -> None:
    today = lists(("ann", "wy", "champion"), ("eve", "wx", "popularity"))
    finding = calm(churn(today, EARLIER), max_churn)
    assert finding.passed is passed
    assert finding.warns
    assert finding.numbers == {"churn_all": 0.5, "churn_champion": 0.5, "first_changed": 0.0}


def test_the_earlier_lists_are_those_that_were_published(tmp_path: Path) -> None:
    save_bundle(Popularity(2, torch.ones(4)), tmp_path / "c.bundle")
    made = publish(tmp_path, {"users": EARLIER}, tmp_path / "c.bundle", {"week": "2026-01-05"})
    assert by_segment(EARLIER, published_lists(made))["all"] == [3, 0, 1.0, 0.0]
    assert published_lists(None) is None
