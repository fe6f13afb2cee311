"""What the benchmark of quality says, held against what it has to reach."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks.quality import TRIED, Split, factorized, positives, tried

DATA = Path(__file__).resolve().parents[3] / "shared" / "data" / "ml-100k"


@pytest.mark.slow
@pytest.mark.skipif(not DATA.is_dir(), reason=f"needs MovieLens 100K at {DATA}")
def test_models_reach_their_map_on_ml_100k() -> None:
    users, items = positives(DATA)
    splits = [Split(users, items, seed, "liked") for seed in range(2)]
    means = {
        name: np.mean([each.tested(tried(*of, each)).mean() for each in splits])
        for name, of in TRIED.items()
    }
    ours = np.mean([each.tested(factorized(each)).mean() for each in splits])
    assert 0.045 < means["popularity"] < 0.065
    assert means["item_knn"] >= 0.12
    assert means["ease"] >= 0.14
    assert ours >= 0.97 * means["ease"]
