"""How models did week after week, for people: on the console."""

from collections.abc import Iterator
from pathlib import Path

import pandas as pd
from rich.box import SIMPLE
from rich.console import RenderableType
from rich.table import Table

from collie_pipeline.boards import as_share, history, trend
from collie_pipeline.reports import BOARD, DECISION
from collie_pipeline.showing import read_week


def weeks_tables(root: Path, week: str, k: int) -> Iterator[RenderableType]:
    """Yield the winner of each week up to `week`, then a line for each model of its leaderboard.

    Raises
    ------
    ValueError
        If `week` has no leaderboard, or one of the tables is not what was written.
    """
    board = read_week(root, BOARD, week)
    yield _winners(root, week, k)
    yield _lines(trend(history(Path(root, BOARD), week, board)), k)


def _winners(root: Path, week: str, k: int) -> Table:
    table = _table(f"The best model of each week, by MAP@{k}", "week", "model")
    for heading in ("users", "warm", f"MAP@{k}", "popularity", "serves"):
        table.add_column(heading, justify="right", no_wrap=True)
    for path in sorted(Path(root, BOARD).glob("*.parquet")):
        if path.stem <= week:
            table.add_row(path.stem, *_cells(root, path.stem))
    return table


def _cells(root: Path, week: str) -> list[str]:
    """Return what there is to say of a week whose leaderboard is there."""
    board = read_week(root, BOARD, week)
    best, by_model = board.iloc[0], board.set_index("model")["mapk"]
    popular = f"{by_model['popularity']:.4f}" if "popularity" in by_model else "–"
    warm = as_share(1 - best["cold_users"] / best["users"])
    serves = "–"
    if Path(root, DECISION, f"{week}.parquet").exists():
        serves = "yes" if read_week(root, DECISION, week)["passed"].iloc[0] else "no"
    return [best["model"], f"{best['users']:,}", warm, f"{best['mapk']:.4f}", popular, serves]


def _lines(by_model: pd.DataFrame, k: int) -> Table:
    table = _table(f"MAP@{k} by week, all on one scale", *map(str, by_model.columns))
    for row in by_model.itertuples(index=False):
        table.add_row(*(str(cell).strip("`") for cell in row))
    return table


def _table(title: str, *headings: str) -> Table:
    table = Table(title=title, title_justify="left", box=SIMPLE, padding=(0, 0))
    for heading in headings:
        table.add_column(heading, no_wrap=True)
    return table
