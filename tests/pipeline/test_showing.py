import numpy as np
import pandas as pd
from rich.console import Console

from collie_pipeline.showing import segments_table

ROW = {
    "model": "collaborative_metric_learning",  # the longest name there is
    "mapk_warm": 0.1,
    "mapk_cold": np.nan,
    "recall_head": 1.0,
    "recall_tail": 0.01234,
    "bytes": 2.5e9,
}


def test_segments_fit_a_console_of_80_columns() -> None:
    console = Console(width=80)
    with console.capture() as said:
        console.print(segments_table(pd.DataFrame([ROW]), k=10))
    line = next(line for line in said.get().splitlines() if str(ROW["model"]) in line)
    assert line.split() == [ROW["model"], ".1000", "–", "1.0000", ".0123", "2,500.00"]
