import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collie_core.metrics import Interval, compare, comparison, paired_bootstrap


def test_a_difference_that_all_users_share_is_certain() -> None:
    a = np.array([0.5, 0.75, 1.0])
    assert paired_bootstrap(a, a - 0.25) == Interval(0.25, 0.25, 0.25)


def test_pairs_are_kept_together() -> None:
    rng = np.random.default_rng(0)
    hardness = rng.normal(size=200)  # would drown the difference if users were drawn apart
    interval = paired_bootstrap(hardness + 0.1 + 0.01 * rng.normal(size=200), hardness)
    assert interval.excludes_zero
    assert interval.high - interval.low < 0.01


def test_the_interval_covers_the_true_mean_as_often_as_it_says() -> None:
    rng = np.random.default_rng(1)
    covered = 0
    for _ in range(300):
        sample = rng.normal(loc=0.3, size=60)
        interval = paired_bootstrap(sample, np.zeros(60), resamples=300, confidence=0.9)
        covered += interval.low <= 0.3 <= interval.high
    assert 0.83 <= covered / 300 <= 0.95


def test_it_is_near_the_interval_of_the_normal_distribution() -> None:
    sample = np.random.default_rng(2).normal(size=400)
    interval = paired_bootstrap(sample, np.zeros(400))
    half = 1.96 * sample.std() / 20
    assert interval.low == pytest.approx(sample.mean() - half, abs=0.015)
    assert interval.high == pytest.approx(sample.mean() + half, abs=0.015)


@given(st.lists(st.floats(-1, 1), min_size=1, max_size=20), st.integers(0, 5))
def test_swapping_the_models_swaps_the_interval(values: list[float], seed: int) -> None:
    zeros = np.zeros(len(values))
    there = paired_bootstrap(values, zeros, resamples=50, seed=seed)
    back = paired_bootstrap(zeros, values, resamples=50, seed=seed)
    assert [back.mean, back.low, back.high] == pytest.approx([-there.mean, -there.high, -there.low])


def test_the_result_does_not_depend_on_how_much_is_drawn_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sample = np.random.default_rng(3).normal(size=50)
    whole = paired_bootstrap(sample, np.zeros(50), resamples=101)
    monkeypatch.setattr(comparison, "DRAWS_A_BLOCK", 300)
    assert paired_bootstrap(sample, np.zeros(50), resamples=101) == whole


def test_the_seed_alone_decides() -> None:
    sample = np.random.default_rng(4).normal(size=50)
    first = paired_bootstrap(sample, np.zeros(50), seed=7)
    assert paired_bootstrap(sample, np.zeros(50), seed=7) == first
    assert paired_bootstrap(sample, np.zeros(50), seed=8) != first


@pytest.mark.parametrize(
    ("low", "high", "excludes"), [(0.1, 0.2, True), (-0.2, -0.1, True), (-0.1, 0.1, False)]
)
def test_an_interval_says_whether_it_excludes_zero(low: float, high: float, excludes: bool) -> None:
    assert Interval((low + high) / 2, low, high).excludes_zero is excludes


@pytest.mark.parametrize(
    ("a", "b", "message"),
    [
        ([0.1, np.nan], [0.1, 0.2], "a - b is nan at row 1"),
        ([0.1, 0.2], [np.inf, 0.2], "a - b is -inf at row 0"),
        ([0.1, 0.2], [0.1], r"a has shape \(2,\), b \(1,\)"),
        ([], [], r"a has shape \(0,\)"),
        ([[0.1]], [[0.1]], r"a has shape \(1, 1\)"),
    ],
)
def test_values_without_a_mean_are_refused(a: object, b: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        paired_bootstrap(np.asarray(a), np.asarray(b))


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ({"resamples": 0}, "resamples is 0, must be at least 1"),
        ({"confidence": 95}, "confidence is 95, must be between 0 and 1"),
        ({"confidence": 0}, "confidence is 0, must be between 0 and 1"),
    ],
)
def test_senseless_options_are_refused(option: dict[str, int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        paired_bootstrap([1.0], [0.0], **option)


def table(values: list[float], **columns: list[float]) -> pd.DataFrame:
    return pd.DataFrame({"user": range(len(values)), "mapk": values, **columns})


def test_a_row_tells_the_means_and_their_interval() -> None:
    rng = np.random.default_rng(5)
    a, b = rng.random(50), rng.random(50)
    compared = compare(table(a.tolist(), mrr=b.tolist()), table(b.tolist(), mrr=a.tolist()), seed=3)
    interval = paired_bootstrap(a, b, seed=3)
    assert compared.index.tolist() == ["mapk", "mrr"]
    assert compared.to_dict("index")["mapk"] == {
        "a": a.mean(),
        "b": b.mean(),
        "difference": interval.mean,
        "low": interval.low,
        "high": interval.high,
        "excludes_zero": interval.excludes_zero,
        "users": 50,
    }


def test_only_a_difference_that_users_share_excludes_zero() -> None:
    noise = np.random.default_rng(6).normal(size=100)
    better = table((noise + 0.1).tolist(), mrr=noise.tolist())
    compared = compare(better, table(noise.tolist(), mrr=noise[::-1].tolist()))
    assert compared["excludes_zero"].tolist() == [True, False]
    assert compared["difference"].tolist() == pytest.approx([0.1, 0.0])


def test_users_are_matched_whatever_the_order_of_rows_and_columns() -> None:
    a, b = table([0.1, 0.2, 0.3], mrr=[1.0, 0.5, 0.2]), table([0.0, 0.4, 0.1], mrr=[0.1, 0.2, 1.0])
    shuffled = b.iloc[[2, 0, 1]][["mrr", "mapk", "user"]]
    pd.testing.assert_frame_equal(compare(a, shuffled), compare(a, b))


def test_users_without_a_value_in_either_are_left_out_of_that_metric_alone() -> None:
    a = table([0.5, 0.5, 0.5, 0.5], auc=[np.nan, 0.75, 0.5, 0.9])
    b = table([0.25, 0.25, 0.25, 0.25], auc=[0.1, 0.25, 0.5, np.nan])
    compared = compare(a, b)
    assert compared["users"].tolist() == [4, 2]
    assert compared.loc[["auc"], ["a", "b", "difference"]].to_numpy().tolist() == [
        [0.625, 0.375, 0.25]
    ]


def test_a_metric_that_nobody_has_is_nan_and_excludes_nothing() -> None:
    compared = compare([np.nan, 0.1], [0.2, np.nan])
    assert compared[["users", "excludes_zero"]].to_numpy().tolist() == [[0, False]]
    assert compared[["a", "b", "difference", "low", "high"]].isna().all(axis=None)


def test_arrays_are_one_metric() -> None:
    compared = compare(np.array([0.5, 0.75]), pd.Series([0.25, 0.5], index=[7, 8]))
    assert compared.index.tolist() == ["metric"]
    assert compared[["difference", "low", "high"]].to_numpy().tolist() == [[0.25, 0.25, 0.25]]


@pytest.mark.parametrize(
    ("a", "b", "message"),
    [
        (table([0.1, 0.2]), table([0.1, 0.2, 0.3]).iloc[1:], "2 users are in a or b only"),
        (table([0.1]), table([0.1], mrr=[0.1]), r"metrics \['mrr'\] are in a or b only"),
        (
            table([0.1]),
            pd.DataFrame({"mapk": [0.1]}),
            r"b has columns \['mapk'\], must have 'user'",
        ),
        (pd.concat([table([0.1])] * 2), table([0.1]), "a has columns .* each user once"),
        ([0.1, 0.2], [0.1], r"a has shape \(2,\), b \(1,\)"),
        ([[0.1]], [[0.1]], r"a has shape \(1, 1\)"),
        ([np.inf, 0.1], [0.1, 0.1], "a - b is inf at row 0"),
    ],
)
def test_what_cannot_be_paired_is_refused(a: object, b: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        compare(a, b)  # type: ignore[arg-type]


def test_a_table_and_an_array_are_refused() -> None:
    with pytest.raises(TypeError, match="a is DataFrame and b list, must be alike"):
        compare(table([0.1]), [0.1])
