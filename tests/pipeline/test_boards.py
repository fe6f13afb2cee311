from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from collie_pipeline.boards import history, readable, trend
from collie_pipeline.charts import bars, sparkline
from collie_pipeline.storage import recording


def board(**mapk: float) -> pd.DataFrame:
    return pd.DataFrame({"model": list(mapk), "mapk": list(mapk.values())})


def written(path: Path, table: pd.DataFrame) -> None:
    with recording(path) as temporary:
        table.to_parquet(temporary)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    written(tmp_path / "2026-01-05.parquet", board(old=0.1, mf=0.2))
    written(tmp_path / "2026-01-12.parquet", board(mf=0.4, ease=0.3))
    written(tmp_path / "2026-01-26.parquet", board(mf=0.9))  # later than the week
    return tmp_path


def test_the_weeks_so_far_are_side_by_side(folder: Path) -> None:
    by_week = history(folder, "2026-01-19", board(ease=0.5, mf=0.3))
    assert list(by_week.columns) == ["2026-01-05", "2026-01-12", "2026-01-19"]
    assert by_week.loc["mf"].tolist() == [0.2, 0.4, 0.3]
    assert by_week.loc["ease"].fillna(-1).tolist() == [-1, 0.3, 0.5]
    assert list(by_week.index) == ["ease", "mf"]  # as the board has them


def test_a_week_that_is_made_again_counts_once(folder: Path) -> None:
    by_week = history(folder, "2026-01-12", board(mf=0.6))
    assert by_week.loc["mf"].tolist() == [0.2, 0.6]


def test_only_the_newest_weeks_are_read(tmp_path: Path) -> None:
    for number in range(10, 60):
        written(tmp_path / f"20{number}-01-05.parquet", board(mf=number / 100))
    assert history(tmp_path, "2060-01-05", board(mf=0.6)).shape == (1, 26)
    assert history(tmp_path, "2060-01-05", board(mf=0.6)).iloc[0, 0] == 0.35


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def test_a_week_whose_board_is_damaged_is_a_gap_and_named(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    flip(folder / "2026-01-12.parquet")
    by_week = history(folder, "2026-01-19", board(ease=0.5, mf=0.3))
    assert list(by_week.columns) == ["2026-01-05", "2026-01-12", "2026-01-19"]
    assert by_week.loc["mf"].fillna(-1).tolist() == [0.2, -1, 0.3]
    assert f"{folder / '2026-01-12.parquet'} is not what was written" in caplog.text
    assert trend(by_week)["now"].tolist() == ["0.5000", "0.3000"]


@pytest.mark.parametrize("content", [b"", b"PAR1 and no more"])
def test_a_week_whose_board_is_no_table_is_a_gap(
    folder: Path, caplog: pytest.LogCaptureFixture, content: bytes
) -> None:
    path = folder / "2026-01-12.parquet"
    with recording(path) as temporary:
        temporary.write_bytes(content)
    by_week = history(folder, "2026-01-19", board(mf=0.3))
    assert by_week.loc["mf"].fillna(-1).tolist() == [0.2, -1, 0.3]
    assert f"{path} is left out" in caplog.text


def test_lines_share_a_scale_and_have_gaps() -> None:
    by_week = pd.DataFrame(
        {"a": [0.0, np.nan], "b": [0.5, 0.5], "c": [1.0, 0.25]}, index=["mf", "ease"]
    )
    table = trend(by_week)
    assert table["a to c"].tolist() == ["`▁▄█`", "` ▄▂`"]
    assert table["mean before"].tolist() == ["0.2500", "0.5000"]
    assert table["now"].tolist() == ["1.0000", "0.2500"]


def test_the_first_week_has_a_line_too(tmp_path: Path) -> None:
    table = trend(history(tmp_path, "2026-01-05", board(mf=0.2)))
    assert table["mean before"].tolist() == ["–"]
    assert table["now"].tolist() == ["0.2000"]


def test_what_is_not_known_is_a_dash() -> None:
    names = ("mapk", "vs_popularity", "mapk_warm", "mapk_cold", "recall_head", "recall_tail")
    row = {"model": "mf", "ndcg": 0.5, "auc": 0.75, "bytes": 2_048_000.0}
    row |= {f"{name}{end}": 0.1234567 for name in names for end in ("", "_low", "_high")}
    row |= {"mapk_cold": np.nan}
    table = readable(pd.DataFrame([row]), 10, {}).iloc[0].to_dict()
    assert table["MAP@10 [interval]"] == "0.1235\N{NO-BREAK SPACE}[0.1235,\N{NO-BREAK SPACE}0.1235]"
    assert (
        table["against popularity"]
        == "+0.1235\N{NO-BREAK SPACE}[+0.1235,\N{NO-BREAK SPACE}+0.1235]"
    )
    assert (table["MAP cold users"], table["seconds"], table["MB"]) == ("–", "–", "2.05")
    assert readable(pd.DataFrame([row]), 10, {"mf": 1.26}).iloc[0]["seconds"] == "1.3"


@pytest.mark.parametrize(
    ("values", "drawn"), [([], ""), ([1.0], "▁"), ([1, 2, 3], "▁▄█"), ([np.nan, 1, 0], " █▁")]
)
def test_a_sparkline_goes_from_low_to_high(values: list[float], drawn: str) -> None:
    assert sparkline(values) == drawn


def test_bars_are_as_long_as_their_values() -> None:
    lines = bars([("a", 1.0), ("bb", 2.0)], width=4).splitlines()
    assert lines == ["```", "a  ██   1", "bb ████ 2", "```"]
