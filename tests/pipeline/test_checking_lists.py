import numpy as np
import pandas as pd
import pytest

from collie_pipeline.checking import (
    Finding,
    coverage,
    new_lists,
    similar_lists,
    unseen,
    whole_lists,
)

LISTS = pd.DataFrame(
    [("ann", 1, "y", 0.9), ("ann", 2, "z", 0.5), ("bob", 0, None, np.nan), ("bob", 1, "w", 0.1)],
    columns=["user_id", "rank", "item_id", "score"],
)


def test_whole_lists_pass_with_their_numbers() -> None:
    finding = whole_lists(LISTS, ["ann", "bob"], k=2)
    assert finding.passed, finding.said
    assert finding.numbers["users"] == 2
    assert finding.numbers["short_lists"] == 1


@pytest.mark.parametrize(
    ("broken", "number"),
    [
        (LISTS[LISTS["user_id"] != "bob"], "without_list"),
        (LISTS[LISTS["rank"] != 0], "without_reason"),
        (LISTS[LISTS["item_id"] != "z"], "without_reason"),
        (pd.concat([LISTS, LISTS.iloc[[2]].assign(user_id="ann")]), "with_needless_reason"),
        (LISTS.replace({"rank": {2: 3}}), "with_wrong_ranks"),
        (LISTS.replace({"rank": {2: 1}}), "with_wrong_ranks"),
        (LISTS.replace({"item_id": {"z": "y"}}), "with_an_item_twice_or_none"),
        (LISTS.replace({"item_id": {"z": None}}), "with_an_item_twice_or_none"),
        (LISTS.replace({"score": {0.1: np.nan}}), "with_a_score_that_is_no_number"),
        (LISTS.replace({"score": {0.5: -np.inf}}), "with_a_score_that_is_no_number"),
    ],
)
def test_a_broken_list_is_counted(broken: pd.DataFrame, number: str) -> None:
    finding = whole_lists(broken, ["ann", "bob"], k=2)
    assert not finding.warns
    assert faults(finding) == {number}


def faults(finding: Finding) -> set[str]:
    """Return what is wrong with lists that do not pass."""
    assert not finding.passed
    wrong = ("with", "that")
    return {name for name, count in finding.numbers.items() if name.startswith(wrong) and count}


def test_a_rank_that_is_there_twice_is_found_though_the_last_is_right() -> None:
    ranks = pd.DataFrame({"user_id": "ann", "rank": [1, 1, 3], "item_id": ["w", "x", "y"]})
    ranks["score"] = 1.0
    assert whole_lists(ranks, [], k=3).numbers["with_wrong_ranks"] == 1


def test_a_list_that_is_too_long_is_found() -> None:
    longer = pd.concat([LISTS, pd.DataFrame([("ann", 3, "w", 0.1)], columns=LISTS.columns)])
    assert not whole_lists(longer, ["ann", "bob"], k=2).passed


def test_an_item_that_was_met_is_found() -> None:
    met = pd.DataFrame({"user_id": ["ann", "bob"], "item_id": ["w", "x"]})
    assert unseen(LISTS, met).passed
    assert unseen(LISTS, met.assign(user_id=["bob", "ann"])).numbers == {"seen_items": 1}


@pytest.mark.parametrize(("least", "passed"), [(0.0, True), (0.75, True), (0.76, False)])
def test_coverage_is_the_share_of_items_in_lists_and_too_little_of_it_warns(
    least: float, passed: bool
) -> None:
    finding = coverage(LISTS, num_items=4, least=least)
    assert (finding.passed, finding.warns) == (passed, True)
    assert finding.numbers == {"coverage": 0.75}


SIMILAR = pd.DataFrame(
    [("w", 1, "x", 0.9), ("w", 2, "y", 0.5), ("x", 1, "w", 0.9)],
    columns=["item_id", "rank", "similar_item_id", "score"],
)
NEW = pd.DataFrame(
    [("War", 1, "War", 0.9), ("War", 2, "y", 0.5), ("Drama", 1, "y", -0.5), ("Drama", 2, "w", -1)],
    columns=["bucket", "rank", "item_id", "score"],
)


def test_sound_lists_of_items_pass_with_their_numbers() -> None:
    similar, new = similar_lists(SIMILAR, k=2), new_lists(NEW, ["War", "Drama"], 2)
    assert similar.passed, similar.said
    assert (similar.numbers["items"], similar.numbers["short_lists"]) == (2, 1)
    assert new.passed, new.said
    assert new.numbers["buckets"] == 2
    assert similar_lists(SIMILAR.iloc[:0], k=2).passed  # nobody shares a user


@pytest.mark.parametrize(
    ("broken", "number"),
    [
        (SIMILAR.replace({"rank": {2: 3}}), "with_wrong_ranks"),
        (SIMILAR.assign(rank=SIMILAR["rank"] - 1), "with_wrong_ranks"),
        (SIMILAR.assign(rank=[0, 2, 1]), "with_wrong_ranks"),
        (SIMILAR.iloc[1:], "with_wrong_ranks"),
        (SIMILAR.replace({"similar_item_id": {"y": "x"}}), "with_an_item_twice_or_none"),
        (SIMILAR.replace({"similar_item_id": {"y": None}}), "with_an_item_twice_or_none"),
        (SIMILAR.replace({"similar_item_id": {"y": "w"}}), "with_themselves"),
        (SIMILAR.assign(score=[0.9, np.nan, 0.9]), "with_a_score_that_is_no_number"),
        (SIMILAR.assign(score=[np.inf, 0.5, 0.9]), "with_a_score_that_is_no_number"),
    ],
)
def test_a_broken_list_of_similar_items_is_counted(broken: pd.DataFrame, number: str) -> None:
    assert not similar_lists(broken, k=2).warns
    assert faults(similar_lists(broken, k=2)) == {number}
    if number != "with_themselves":
        names = {"item_id": "bucket", "similar_item_id": "item_id"}
        assert number in faults(new_lists(broken.rename(columns=names), ["w", "x"], 2))


def test_a_list_longer_than_asked_for_is_found() -> None:
    assert faults(similar_lists(SIMILAR, k=1)) == {"with_wrong_ranks"}


@pytest.mark.parametrize(
    ("buckets", "length", "number"),
    [
        (["War", "Drama", "Comedy"], 2, "without_whole_list"),
        (["War", "Drama"], 3, "without_whole_list"),
        (["War"], 2, "that_nobody_knows"),
    ],
)
def test_a_bucket_without_its_whole_list_is_counted(
    buckets: list[str], length: int, number: str
) -> None:
    assert faults(new_lists(NEW, buckets, length)) == {number}
