"""The gate: a challenger serves unless it is clearly worse than what serves now."""

from collections.abc import Mapping

import pandas as pd

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
    row = {"model": best, DECIDING: float(board[DECIDING].iloc[0]), "serving": serving_id}
    if serving is None:
        reason = "nothing serves yet: the best model of the board does"
        return pd.DataFrame(
            [{**row, "gap": 0.0, "gap_low": 0.0, "gap_high": 0.0, "passed": True, "reason": reason}]
        )
    gap = difference(per_user[best][DECIDING].to_numpy(), serving[DECIDING].to_numpy(), evaluation)
    floor = -evaluation.margin * float(serving[DECIDING].mean())
    passed = gap.high >= floor
    verdict = "is not clearly worse than" if passed else "is clearly worse than"
    reason = (
        f"{best} {verdict} {serving_id}: MAP@{evaluation.k} differs by {gap.mean:+.4f} "
        f"[{gap.low:+.4f}, {gap.high:+.4f}], and may not lie wholly below {floor:+.4f}"
    )
    return pd.DataFrame(
        [
            {
                **row,
                "gap": gap.mean,
                "gap_low": gap.low,
                "gap_high": gap.high,
                "passed": passed,
                "reason": reason,
            }
        ]
    )
