"""Week after week on the console, from tables that are written by hand."""

from pathlib import Path

import pytest
from rich.console import Console
from test_reports import WEEKS, write_week

from collie_pipeline.showing_weeks import weeks_tables

LONGEST = "collaborative_metric_learning"


def shown(root: Path, week: str) -> list[str]:
    console = Console(width=80)
    with console.capture() as said:
        console.print(*weeks_tables(root, week, k=10))
    return said.get().splitlines()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for week, mapk in zip(WEEKS, (0.1, 0.2, 0.3), strict=True):
        write_week(tmp_path, week, mapk, name=LONGEST, passed=week != WEEKS[1])
    return tmp_path


def test_each_week_has_its_winner_its_users_and_whether_it_serves(root: Path) -> None:
    (root / "evaluation" / "champion" / f"{WEEKS[0]}.parquet").unlink()  # the gate was not reached
    lines = [line.split() for line in shown(root, WEEKS[2])]
    assert [line for line in lines if line[:1] and line[0] in WEEKS] == [
        [WEEKS[0], LONGEST, "20", "75.0%", "0.1000", "–", "–"],
        [WEEKS[1], LONGEST, "20", "75.0%", "0.2000", "–", "no"],
        [WEEKS[2], LONGEST, "20", "75.0%", "0.3000", "–", "yes"],
    ]
    assert [LONGEST, "▁▄█", "0.1500", "0.3000"] in lines


def test_later_weeks_are_left_out(root: Path) -> None:
    assert not any(WEEKS[2] in line for line in shown(root, WEEKS[1]))


def test_a_week_without_a_leaderboard_is_named(root: Path) -> None:
    with pytest.raises(ValueError, match="evaluation/leaderboard of 2026-01-26 is not at"):
        shown(root, "2026-01-26")
