"""The gate: a challenger serves unless it is clearly worse than what serves now."""

from collections.abc import Mapping

import pandas as pd

from collie_core.metrics import Interval
from collie_pipeline.evaluating import DECIDING, difference
from collie_pipeline.sections import Evaluation


def decide(
    board: pd.DataFrame,
    per_user: Mapping[str, pd.DataFrame],
    serving: pd.DataFrame | None,
    serving_id: str | None,
    evaluation: Evaluation,
) -> pd.DataFrame:
    """Return one row: the best model of the week, and whether it may serve.

    It may not if the whole interval of its difference in MAP@K to the serving model, on the same
    users, lies below minus `evaluation.margin` times the serving model's MAP@K. The serving model
    was refitted on weeks that the challenger is not shown, so a small loss is no sign of a worse
    model.

    Parameters
    ----------
    board : the leaderboard, best first.
    per_user : each model's metrics by user.
    serving : the serving model's metrics by user; None when nothing serves yet.
    serving_id : the publication it serves in.
    evaluation : settings.
    """
    best = str(board["model"].iloc[0])
    gap, passed = Interval(0.0, 0.0, 0.0), True
    reason = "nothing serves yet: the best model of the board does"
    if serving is not None:
        ours, theirs = per_user[best][DECIDING].to_numpy(), serving[DECIDING].to_numpy()
        gap = difference(ours, theirs, evaluation)
        floor = -evaluation.margin * float(theirs.mean())
        passed = gap.high >= floor
        verdict = "is not clearly worse than" if passed else "is clearly worse than"
        reason = (
            f"{best} {verdict} {serving_id}: MAP@{evaluation.k} differs by {gap.mean:+.4f} "
            f"[{gap.low:+.4f}, {gap.high:+.4f}], and may not lie wholly below {floor:+.4f}"
        )
    row = {
        "model": best,
        DECIDING: float(board[DECIDING].iloc[0]),
        "serving": serving_id,
        "gap": gap.mean,
        "gap_low": gap.low,
        "gap_high": gap.high,
        "passed": passed,
        "reason": reason,
    }
    return pd.DataFrame([row])
