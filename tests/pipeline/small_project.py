"""A project so small that its whole graph takes seconds, with all that makes it interesting."""

from pathlib import Path

from collie_pipeline.settings import Settings, load_settings

SMALL = {
    "window_weeks": 4,
    "demo": {"users": 120, "items": 80, "ratings": 2_400, "weeks": 6},
    "models": {
        "matrix_factorization": {"embedding_dim": 4, "epochs": 2, "num_negative_samples": 3},
        "cold_start": {"embedding_dim": 4, "epochs": 2, "num_negative_samples": 3},
    },
    "evaluation": {"resamples": 200},
}


def small_settings(root: Path, **changes: object) -> Settings:
    return load_settings(**{**SMALL, "root": root, **changes})
