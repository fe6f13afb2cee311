from collections import Counter

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collie_pipeline.preparation import Encoded, encode, implicit, refuse_mixed

ROWS = st.lists(
    st.tuples(st.sampled_from("abcd"), st.sampled_from("vwxyz"), st.integers(1, 5)), max_size=40
)


def window(*rows: tuple[str, str, float | None], times: list[int] | None = None) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=["user_id", "item_id", "rating"])
    seconds = pd.Series(times if times is not None else range(len(rows)), dtype="int64")
    return table.assign(
        rating=table["rating"].astype("float32"),
        timestamp=pd.to_datetime(seconds, unit="s", utc=True).astype("datetime64[us, UTC]"),
    )


def pairs(encoded: Encoded) -> list[tuple[str, str]]:
    users, items = encoded.user_ids[encoded.users], encoded.item_ids[encoded.items]
    return list(zip(users.tolist(), items.tolist(), strict=True))


def test_only_ratings_from_the_minimum_on_are_positives() -> None:
    found = implicit(window(("a", "x", 4), ("a", "y", 3.5), ("b", "x", 5)), 4, 1, 1)
    assert pairs(found) == [("a", "x"), ("b", "x")]


def test_rows_without_ratings_are_all_positives() -> None:
    found = implicit(window(("a", "x", None), ("b", "y", None)), 4, 1, 1)
    assert found.num_interactions == 2


def test_rows_without_ratings_beside_others_with_one_are_refused() -> None:
    with pytest.raises(ValueError, match=r"1 of 2 rows .* of 1970-01-01 to .*files\.columns"):
        refuse_mixed(window(("a", "x", 1), ("a", "y", None)))
    refuse_mixed(window(("a", "x", 1), ("a", "y", 5)))
    refuse_mixed(window(("a", "x", None), ("a", "y", None)))


def test_latest_of_a_pair_stays() -> None:
    found = implicit(window(("a", "x", 5), ("a", "x", 4), times=[9, 3]), 4, 1, 1)
    assert found.timestamps.tolist() == [9_000_000]


def test_a_pair_liked_once_is_a_positive_whatever_came_later() -> None:
    found = implicit(window(("a", "x", 5), ("a", "x", 1)), 4, 1, 1)
    assert found.timestamps.tolist() == [0]


def test_repeated_pairs_count_once_towards_the_minimum() -> None:
    with pytest.raises(ValueError, match="1 are distinct pairs"):
        implicit(window(("a", "x", 5), ("a", "x", 5)), 4, 2, 1)


def test_minima_are_asked_until_nothing_more_goes() -> None:
    # y goes for want of users, then b for want of items, then x for want of users
    rows = window(("a", "x", 5), ("b", "x", 5), ("b", "y", 5), ("c", "z", 5), ("c", "w", 5),
                  ("d", "z", 5), ("d", "w", 5))  # fmt: skip
    found = implicit(rows, 4, 2, 2)
    assert pairs(found) == [("c", "z"), ("c", "w"), ("d", "z"), ("d", "w")]


def test_ids_are_coded_by_code_point() -> None:
    found = implicit(window(("é", "x", 5), ("b", "x", 5), ("B", "x", 5), ("10", "x", 5)), 4, 1, 1)
    assert found.user_ids.tolist() == ["10", "B", "b", "é"]
    assert found.users.tolist() == [3, 2, 1, 0]


def test_positives_are_sorted_by_time_user_item() -> None:
    found = implicit(window(("b", "x", 5), ("a", "y", 5), ("a", "x", 5), times=[1, 1, 1]), 4, 1, 1)
    assert pairs(found) == [("a", "x"), ("a", "y"), ("b", "x")]


def test_columns_have_the_types_of_the_file() -> None:
    found = implicit(window(("a", "x", 5)), 4, 1, 1)
    columns = (found.users, found.items, found.timestamps)
    assert [column.dtype.name for column in columns] == ["int32", "int32", "int64"]


def test_one_user_is_enough_with_enough_items() -> None:
    rows = window(*(("a", f"i{number}", 5) for number in range(5)))
    assert len(implicit(rows).user_ids) == 1


@pytest.mark.parametrize(
    ("rows", "counts"),
    [
        ([], "nothing is left of 0 clean rows: 0 have"),
        ([("a", "x", 1)], "nothing is left of 1 clean rows: 0 have"),
        ([("a", "x", 5), ("a", "y", 3)], r"of 2 clean rows: 1 have .*prepare\.min_rating"),
    ],
)
def test_nothing_left_is_refused_with_the_count_at_each_step(
    rows: list[tuple[str, str, float | None]], counts: str
) -> None:
    with pytest.raises(ValueError, match=counts):
        implicit(window(*rows))


def test_table_by_outside_id_encodes_to_the_same() -> None:
    found = implicit(window(("b", "x", 5), ("a", "y", 4), ("a", "x", 5), times=[5, 2, 2]), 4, 1, 1)
    again = encode(found.table())
    for name in ("user_ids", "item_ids", "users", "items", "timestamps"):
        np.testing.assert_array_equal(getattr(found, name), getattr(again, name))


def brute_force(rows: list[tuple[str, str, int]], min_user: int, min_item: int) -> set[object]:
    kept = {(user, item) for user, item, rating in rows if rating >= 3}
    while True:
        users, items = (Counter(pair[side] for pair in kept) for side in (0, 1))
        enough = {(u, i) for u, i in kept if users[u] >= min_user and items[i] >= min_item}
        if enough == kept:
            return set(kept)
        kept = enough


@given(ROWS, st.integers(1, 3), st.integers(1, 3))
def test_kept_pairs_are_those_of_a_brute_force_twin(
    rows: list[tuple[str, str, int]], min_user: int, min_item: int
) -> None:
    expected = brute_force(rows, min_user, min_item)
    if not expected:
        with pytest.raises(ValueError, match="nothing is left"):
            implicit(window(*rows), 3, min_user, min_item)
        return
    found = implicit(window(*rows), 3, min_user, min_item)
    assert set(pairs(found)) == expected
    assert found.num_interactions == len(expected)
