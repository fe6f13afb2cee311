"""The demo set as it is by default: what `make run` shows."""

from pathlib import Path

import pandas as pd
import pytest
from rich.console import Console

from collie_pipeline.project import Project
from collie_pipeline.running import run_week
from collie_pipeline.settings import load_settings


@pytest.mark.slow
def test_personal_models_beat_popularity_beyond_doubt(tmp_path: Path) -> None:
    project = Project(load_settings(root=tmp_path))
    week = project.week()
    run_week(project, week, Console(quiet=True))
    path = tmp_path / "evaluation" / "leaderboard" / f"{week.key}.parquet"
    board = pd.read_parquet(path).set_index("model")
    for name in ("matrix_factorization", "item_knn", "cold_start"):
        assert board["vs_popularity_low"][name] > 0
    assert board["cold_users"].iloc[0] > 0
