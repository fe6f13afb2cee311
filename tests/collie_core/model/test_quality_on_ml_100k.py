"""What the benchmark of quality says, held against what it has to reach."""

import runpy
from pathlib import Path

import numpy as np
import pytest

REPOSITORY = Path(__file__).resolve().parents[3]
DATA = REPOSITORY.parent / "shared" / "data" / "ml-100k"


@pytest.mark.slow
@pytest.mark.skipif(not DATA.is_dir(), reason=f"needs MovieLens 100K at {DATA}")
def test_models_reach_their_map_on_ml_100k() -> None:
    benchmark = runpy.run_path(str(REPOSITORY / "benchmarks" / "quality.py"))
    users, items = benchmark["positives"](DATA)
    scores = [benchmark["split_scores"](users, items, seed) for seed in range(3)]
    means = {name: np.mean([each[name] for each in scores]) for name in scores[0]}
    assert 0.045 < means["popularity"] < 0.065
    assert means["item_knn"] >= 0.12
    assert means["matrix_factorization"] >= 0.125
