"""What became of the candidates of a search."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from optuna.trial import TrialState

from collie_pipeline.tuning.study import EPOCHS, REASON, Study


@dataclass(frozen=True)
class Tried:
    """What became of a candidate.

    Parameters
    ----------
    number : its place, from 0, the present settings.
    state : "complete"; "pruned" where others were better by then; "refused" where `reason` says
        why it could not be made.
    value : what validation says of it, of a pruned one in its last epoch; None if refused.
    epochs : those of its training: of the best, or until it was pruned.
    settings : what was searched of its settings.
    changed : those of them that are not the present ones.
    seconds : how long it took.
    """

    number: int
    state: str
    value: float | None
    epochs: int
    reason: str
    settings: Mapping[str, Any]
    changed: Mapping[str, Any]
    seconds: float


class Listener:
    """Whoever wants to know how a search goes: this one does not."""

    def epoch(self, number: int, step: int, value: float) -> None:
        """Hear what validation says of the candidate `number` after a step, from 0."""

    def ended(self, each: Tried, best: Tried) -> None:
        """Hear what became of a candidate, and which is the best so far."""


def tried(study: Study) -> list[Tried]:
    """Return what became of each candidate so far."""
    return [tried_at(study, number) for number in range(len(study.finished()))]


def tried_at(study: Study, number: int) -> Tried:
    """Return what became of the candidate `number`."""
    trial = study.finished()[number]
    reason = str(trial.user_attrs.get(REASON, ""))
    is_complete = trial.state == TrialState.COMPLETE
    own, now = study.subject.settings_of(trial.params), study.subject.present
    settings = {name: getattr(own, name) for name in study.subject.space}
    return Tried(
        number,
        "complete" if is_complete else "refused" if reason else "pruned",
        None if reason else trial.value,
        int(trial.user_attrs.get(EPOCHS, len(trial.intermediate_values))),
        reason,
        settings,
        {name: value for name, value in settings.items() if value != getattr(now, name)},
        trial.duration.total_seconds() if trial.duration else 0.0,
    )
