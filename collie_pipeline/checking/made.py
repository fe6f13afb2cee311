"""What is wrong with what was made: models, boards and publications."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import pandas as pd

from collie_pipeline.checking.finding import Finding

if TYPE_CHECKING:
    from torch import Tensor

    from collie_pipeline.storage import Publication

SEGMENTS = ("mapk_warm", "mapk_cold", "recall_head", "recall_tail")
ROUNDING = 1e-9  # of sums of floats


def finite(tensors: "Mapping[str, Tensor]") -> Finding:
    """Find whether all numbers of a model's arrays are finite: a bundle's `tensors`."""
    wrong = {name: int((~each.isfinite()).sum()) for name, each in tensors.items()}
    named = [name for name, count in wrong.items() if count]
    total = sum(each.numel() for each in tensors.values())
    return Finding(
        not named,
        f"{sum(wrong.values())} of {total:,} weights are NaN or infinite, 0 may be"
        + (f", in {', '.join(named)}: lower lr" if named else ""),
        {"not_finite": sum(wrong.values()), "weights": total},
    )


def metrics(board: pd.DataFrame) -> Finding:
    """Find whether the metrics of a leaderboard are from 0 to 1, and there where users are.

    AUC is of nobody, whichever the model, if no test user has an item that is not relevant; the
    means of segments are of those that have users.
    """
    from collie_core.metrics import METRICS  # torch loads in the run

    names = [f"{name}{end}" for name in METRICS for end in ("", "_low", "_high")]
    values, means = board[[*names, *SEGMENTS]], board[list(METRICS)]
    outside = int(((values < -ROUNDING) | (values > 1 + ROUNDING)).to_numpy().sum())
    is_of_nobody = means["auc"].isna().all()
    unknown = int((means.drop(columns="auc") if is_of_nobody else means).isna().to_numpy().sum())
    return Finding(
        not (outside or unknown),
        f"{outside} metrics are not from 0 to 1, and {unknown} are unknown though there are test "
        "users, 0 may be: see evaluation/leaderboard, and evaluate these models again",
        {"outside": outside, "unknown": unknown, "models": len(board)},
    )


def as_hashed(publication: "Publication") -> Finding:
    """Find whether the files of `publication`, read again, are what its manifest says."""
    files = publication.manifest["sha256"]
    whole = publication.is_whole()
    return Finding(
        whole,
        f"{len(files)} files of {publication.id} {'match' if whole else 'do not all match'} their "
        "hashes" + ("" if whole else ": publish the week again with `collie run`"),
        {"files": len(files)},
    )
