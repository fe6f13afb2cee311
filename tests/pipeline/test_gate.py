import numpy as np
import pandas as pd
import pytest

from collie_pipeline.gate import decide
from collie_pipeline.sections import Evaluation

BOARD = pd.DataFrame({"model": ["new", "old"], "mapk": [0.2, 0.1]})
EVALUATION = Evaluation(resamples=500)


def users(mean: float, seed: int = 0) -> pd.DataFrame:
    values = np.random.default_rng(seed).beta(2, 2 * (1 - mean) / mean, 400)
    return pd.DataFrame({"mapk": values})


def test_the_first_champion_needs_no_fight() -> None:
    row = decide(BOARD, {"new": users(0.2)}, None, None, EVALUATION).iloc[0]
    assert row["passed"]
    assert row["model"] == "new"
    assert "nothing serves yet" in row["reason"]


@pytest.mark.parametrize(
    ("serving", "passed"),
    [(0.1, True), (0.2, True), (0.21, True), (0.5, False)],
)
def test_a_challenger_serves_unless_it_is_clearly_worse(serving: float, passed: bool) -> None:
    row = decide(BOARD, {"new": users(0.2)}, users(serving, 1), "2026-01-05-x", EVALUATION).iloc[0]
    assert bool(row["passed"]) is passed
    assert row["gap_low"] <= row["gap"] <= row["gap_high"]
    assert "2026-01-05-x" in row["reason"]


def test_a_wide_margin_lets_a_worse_one_serve() -> None:
    lenient = Evaluation(resamples=500, margin=0.9)
    row = decide(BOARD, {"new": users(0.2)}, users(0.5, 1), "2026-01-05-x", lenient).iloc[0]
    assert row["passed"]
