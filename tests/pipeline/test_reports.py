"""The page of a week, from tables that are written by hand."""

import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from collie_pipeline.reports import report
from collie_pipeline.storage import recording
from collie_pipeline.trend_plot import trend_plot

WEEKS = ("2026-01-05", "2026-01-12", "2026-01-19")
NASTY = "<script>alert(1)</script>"


def write_week(root: Path, week: str, mapk: float, name: str = "ease", passed: bool = True) -> None:
    numbers = {
        column: mapk
        for metric in ("mapk", "vs_popularity")
        for column in (metric, f"{metric}_low", f"{metric}_high")
    }
    others = ("mapk_warm", "mapk_cold", "recall_head", "recall_tail", "ndcg", "auc", "bytes")
    row = {"model": name, "users": 20, "cold_users": 5, **numbers, **dict.fromkeys(others, 0.5)}
    gate = {"model": name, "mapk": mapk, "passed": passed, "reason": f"{NASTY} {week}"}
    lists = {"segment": "all", "users": 9, "new_users": 1, "kept": 0.75, "first_changed": np.nan}
    for key, table in (
        ("evaluation/leaderboard", row),
        ("evaluation/champion", gate),
        ("recommendations/churn", lists),
    ):
        with recording(root / key / f"{week}.parquet") as path:
            pd.DataFrame([table]).to_parquet(path)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for week, mapk in zip(WEEKS, (0.1, 0.2, 0.3), strict=True):
        write_week(tmp_path, week, mapk, passed=week != WEEKS[1])
    return tmp_path


def test_the_page_has_the_board_the_gate_and_the_churn_of_each_week(root: Path) -> None:
    page = report(root, WEEKS[2], "files", 10)
    assert "<h1>files: week 2026-01-19</h1>" in page
    assert "0.3000\N{NO-BREAK SPACE}[0.3000,\N{NO-BREAK SPACE}0.3000]" in page
    gate = re.findall(r"<tr><td>([-\d]+)</td><td>ease</td><td>([.\d]+)</td><td>(\w+)</td>", page)
    assert gate == [
        ("2026-01-19", "0.3000", "yes"),
        ("2026-01-12", "0.2000", "no"),
        ("2026-01-05", "0.1000", "yes"),
    ], "the newest first"
    assert page.count("<td>75.0%</td><td>–</td>") == 3
    assert page.count("<circle") == 3


def test_later_weeks_are_not_on_the_page_of_an_earlier_one(root: Path) -> None:
    page = report(root, WEEKS[1], "files", 10)
    assert WEEKS[2] not in page
    assert page == report(root, WEEKS[1], "files", 10), "the same tables, the same page"


def test_nothing_on_the_page_can_run_or_be_fetched(root: Path) -> None:
    write_week(root, WEEKS[2], 0.3, name=NASTY)
    page = report(root, WEEKS[2], NASTY, 10)
    assert NASTY not in page
    assert "&lt;script&gt;" in page
    assert "default-src 'none'" in page
    assert not re.search(r"(src|href)=|https?:|<script", page)


def test_a_closed_gate_leaves_out_what_was_not_made(root: Path) -> None:
    (root / "recommendations" / "churn" / f"{WEEKS[2]}.parquet").unlink()
    assert page_headings(report(root, WEEKS[2], "files", 10))[-1] == "How lists changed"
    for path in (root / "recommendations" / "churn").glob("*.parquet"):
        path.unlink()
    assert page_headings(report(root, WEEKS[2], "files", 10))[-1] == "The gate"


@pytest.mark.parametrize(
    "key", ["evaluation/leaderboard", "evaluation/champion", "recommendations/churn"]
)
def test_a_damaged_table_is_left_out_of_later_pages_and_not_of_its_own(
    root: Path, key: str, caplog: pytest.LogCaptureFixture
) -> None:
    path = root / key / f"{WEEKS[1]}.parquet"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    page = report(root, WEEKS[2], "files", 10)
    assert (page.count("<circle"), page.count(f"<td>{WEEKS[1]}</td>")) == (
        (2, 2) if key == "evaluation/leaderboard" else (3, 1)
    )
    assert str(path) in caplog.text
    with pytest.raises(ValueError, match="is not what was written"):
        report(root, WEEKS[1], "files", 10)


def page_headings(page: str) -> list[str]:
    return re.findall("<h2>(.*)</h2>", page)


def test_a_week_without_a_board_has_no_page(root: Path) -> None:
    with pytest.raises(ValueError, match="collie run --week 2026-02-02"):
        report(root, "2026-02-02", "files", 10)


def test_lines_are_joined_where_weeks_follow_one_another() -> None:
    values = [[0.1, np.nan, 0.2, 0.4], [0.0, 0.0, 0.0, 0.0]]
    table = pd.DataFrame(values, index=["a & b", "c"], columns=list("wxyz"))
    drawing = ElementTree.fromstring(trend_plot(table))  # noqa: S314 - our own
    first, second = drawing.findall("g")
    assert first.findtext("title") == "a & b"
    assert [len(first.findall(shape)) for shape in ("circle", "line")] == [3, 1]
    assert [len(second.findall(shape)) for shape in ("circle", "line")] == [4, 3]
    heights = [float(dot.attrib["cy"]) for dot in first.findall("circle")]
    assert heights[0] > heights[1] > heights[2], "higher values are higher up"


def test_a_plot_of_one_week_or_of_nothing_known_is_a_plot() -> None:
    for value in (0.5, np.nan, 0.0):
        table = pd.DataFrame([[value]], index=["a"], columns=["w"])
        assert ElementTree.fromstring(trend_plot(table)).tag == "svg"  # noqa: S314
