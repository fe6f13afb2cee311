"""A week on one page: the leaderboard, how models went, who won each week, how lists changed."""

from collections.abc import Mapping
from html import escape
from pathlib import Path

import pandas as pd

from collie_pipeline.boards import (
    WEEKS_SHOWN,
    as_share,
    earlier_files,
    history,
    read_if_whole,
    readable,
)
from collie_pipeline.storage import read_table
from collie_pipeline.trend_plot import colour, trend_plot

BOARD, DECISION, CHURN = "evaluation/leaderboard", "evaluation/champion", "recommendations/churn"
# Nothing is fetched and no script runs, whatever an id or a title may hold.
HEAD = """<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<style>
:root{color-scheme:light dark;font:15px/1.5 system-ui,sans-serif}
body{max-width:75rem;margin:2rem auto;padding:0 1rem}
div{overflow-x:auto}
table{border-collapse:collapse;font-variant-numeric:tabular-nums}
th,td{padding:.25rem .7rem;border-bottom:1px solid #8884;text-align:left;white-space:nowrap}
td:last-child{white-space:normal}
svg{width:100%;max-width:720px;font-size:11px}
svg text{fill:currentColor}
.grid{stroke:#8884}
i{display:inline-block;width:.8em;height:.8em;margin:0 .3em 0 1em}
</style>
"""


def report(root: Path, week: str, source: str, k: int) -> str:
    """Return the page of `week` as HTML, from the tables that are on disk.

    The same tables give the same page. A part whose table is not there, because the gate closed
    or an asset failed, is left out.

    Raises
    ------
    ValueError
        If the week has no leaderboard.
    """
    path = Path(root, BOARD, f"{week}.parquet")
    if not path.exists():
        raise ValueError(f"week {week} has no leaderboard: use `collie run --week {week}`")
    board = read_table(path)
    by_week = history(path.parent, week, board)
    parts = {
        f"Models on the {int(board['users'].iloc[0]):,} test users of the week": _table(
            readable(board, k, {}).drop(columns="seconds")
        ),
        f"MAP@{k} by week": trend_plot(by_week) + _legend(by_week.index),
        "The gate": _table(_decisions(_weekly(root, DECISION, week))),
        "How lists changed": _table(_changes(_weekly(root, CHURN, week))),
    }
    title = escape(f"{source}: week {week}")
    body = "".join(f"<h2>{escape(each)}</h2>\n{part}\n" for each, part in parts.items() if part)
    return f"{HEAD}<title>{title}</title></head>\n<body><h1>{title}</h1>\n{body}</body></html>\n"


def drawn_from(root: Path, week: str) -> list[Path]:
    """Return the files that the page of `week` is made of, those of earlier weeks among them."""
    return [path for key in (BOARD, DECISION, CHURN) for path in _files(root, key, week)]


def _files(root: Path, key: str, week: str) -> list[Path]:
    """Return the files of an asset, the newest first, none later than `week`."""
    path = Path(root, key, f"{week}.parquet")
    own = [path] if path.exists() else []
    return [*own, *reversed(earlier_files(path.parent, week, WEEKS_SHOWN - len(own)))]


def _weekly(root: Path, key: str, week: str) -> Mapping[str, pd.DataFrame]:
    """Return the tables in `_files` by week, without earlier ones that are damaged."""
    tables = {
        path.stem: read_table(path) if path.stem == week else read_if_whole(path)
        for path in _files(root, key, week)
    }
    return {each: table for each, table in tables.items() if table is not None}


def _decisions(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    rows = [(week, table.iloc[0]) for week, table in tables.items()]
    return pd.DataFrame(
        {
            "week": [week for week, _ in rows],
            "best model": [row["model"] for _, row in rows],
            "MAP": [f"{row['mapk']:.4f}" for _, row in rows],
            "may serve": ["yes" if row["passed"] else "no" for _, row in rows],
            "why": [row["reason"] for _, row in rows],
        }
    )


def _changes(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    rows = [(week, table.set_index("segment").loc["all"]) for week, table in tables.items()]
    return pd.DataFrame(
        {
            "week": [week for week, _ in rows],
            "users": [f"{row['users']:,.0f}" for _, row in rows],
            "of them new": [f"{row['new_users']:,.0f}" for _, row in rows],
            "items kept": [as_share(row["kept"]) for _, row in rows],
            "first item changed": [as_share(row["first_changed"]) for _, row in rows],
        }
    )


def _legend(names: "pd.Index[str]") -> str:
    items = (
        f'<i style="background:{colour(number)}"></i>{escape(str(name))}'
        for number, name in enumerate(names)
    )
    return f"<p>{''.join(items)}</p>"


def _table(table: pd.DataFrame) -> str:
    """Return `table` as HTML, all of it escaped; nothing if it has no rows."""
    if table.empty:
        return ""
    head = "".join(f"<th>{escape(str(name))}</th>" for name in table.columns)
    rows = (
        "".join(f"<td>{escape(str(value))}</td>" for value in row)
        for row in table.itertuples(index=False)
    )
    body = "\n".join(f"<tr>{row}</tr>" for row in rows)
    return f"<div><table><tr>{head}</tr>\n{body}</table></div>"
