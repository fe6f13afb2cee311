"""The leaderboard for people: as a readable table, and week after week."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from collie_pipeline.charts import sparkline
from collie_pipeline.storage import read_table

logger = logging.getLogger(__name__)
WEEKS_SHOWN = 26
NOTHING = "–"
NO_BREAK = "\N{NO-BREAK SPACE}"  # or the UI folds an interval into three lines


def readable(board: pd.DataFrame, k: int, seconds: Mapping[str, float]) -> pd.DataFrame:
    """Return the leaderboard as text, rounded, with what each model took to train and to store."""
    columns = {"model": board["model"], f"MAP@{k} [interval]": _interval(board, "mapk", "")}
    if "vs_popularity" in board:
        columns["against popularity"] = _interval(board, "vs_popularity", "+")
    names = {
        "mapk_warm": "MAP warm users",
        "mapk_cold": "MAP cold users",
        "recall_head": f"recall@{k} head items",
        "recall_tail": f"recall@{k} tail items",
        "ndcg": f"nDCG@{k}",
        "auc": "AUC",
    }
    names |= {name: name.upper() for name in ("mse", "mae") if name in board}
    columns |= {heading: board[name].map(_number) for name, heading in names.items()}
    columns["seconds"] = board["model"].map(lambda name: _number(seconds.get(name, np.nan), 1))
    columns["MB"] = board["bytes"].map(lambda size: _number(size / 1e6, 2))
    return pd.DataFrame(columns)


def _interval(board: pd.DataFrame, name: str, sign: str) -> list[str]:
    values = board[[name, f"{name}_low", f"{name}_high"]].itertuples(index=False)
    texts = [f"{mean:{sign}.4f} [{low:{sign}.4f}, {high:{sign}.4f}]" for mean, low, high in values]
    return [text.replace(" ", NO_BREAK) for text in texts]


def _number(value: float, digits: int = 4) -> str:
    return NOTHING if np.isnan(value) else f"{value:,.{digits}f}"


def as_share(value: object) -> str:
    """Return a share in per cent, or a dash where there is none."""
    share = float(str(value))
    return NOTHING if np.isnan(share) else f"{share:.1%}"


def history(folder: Path, week: str, board: pd.DataFrame) -> pd.DataFrame:
    """Return MAP@K by model, in the order of `board`, and week, the newest last.

    An earlier week whose board cannot be read is NaN for all.

    Parameters
    ----------
    folder : where the leaderboards of the weeks lie.
    week : that of `board`; later ones are left out, and the `WEEKS_SHOWN` newest kept.
    board : the leaderboard of `week`.
    """
    gap, boards = board.assign(mapk=np.nan), {}
    for path in earlier_files(folder, week, WEEKS_SHOWN - 1):
        earlier = read_if_whole(path, columns=["model", "mapk"])
        boards[path.stem] = gap if earlier is None else earlier
    boards[week] = board
    columns = {key: each.set_index("model")["mapk"] for key, each in boards.items()}
    return pd.DataFrame(columns).reindex(board["model"])


def earlier_files(folder: Path, week: str, most: int) -> list[Path]:
    """Return the files in `folder` of the last weeks before `week`, at `most` so many, in order."""
    return [path for path in sorted(folder.glob("*.parquet")) if path.stem < week][-most:]


def read_if_whole(path: Path, **selection: Any) -> pd.DataFrame | None:
    """Return a table of an earlier week, None if it is damaged, which is logged.

    What was is only drawn: it keeps no later week from being made. For `selection` see
    `read_table`.
    """
    try:
        return read_table(path, **selection)
    except (OSError, ValueError) as error:
        logger.warning("%s is left out of what was before: %s", path, error)
        return None


def trend(by_week: pd.DataFrame) -> pd.DataFrame:
    """Return `history` as text, a line for each model, all on one scale."""
    values = by_week.to_numpy()
    before = by_week.iloc[:, :-1]
    return pd.DataFrame(
        {
            "model": by_week.index,
            f"{by_week.columns[0]} to {by_week.columns[-1]}": [
                f"`{sparkline(list(line), within=values.ravel().tolist())}`" for line in values
            ],
            "mean before": before.mean(axis=1).map(_number).to_list(),
            "now": by_week.iloc[:, -1].map(_number).to_list(),
        }
    )
