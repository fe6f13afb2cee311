"""The search: one candidate after the other, each on disk once it is judged."""

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import optuna
from optuna.trial import TrialState

from collie_pipeline.tuning.study import EPOCHS, REASON, Study
from collie_pipeline.tuning.subject import Reporter
from collie_pipeline.tuning.tried import Listener, tried_at

Stamps = Mapping[Path, tuple[int, ...]]


@dataclass(frozen=True)
class Budget:
    """How long to search: until there are `trials` of them, or none begins after `seconds`."""

    trials: int
    seconds: float | None = None


def search(study: Study, budget: Budget, listener: Listener | None = None) -> None:
    """Try candidates until the budget is used up; those of an earlier call count.

    Raises
    ------
    ValueError
        If the present settings cannot be trained, or a file was written anew meanwhile.
    """
    told, began = listener or Listener(), time.monotonic()
    stamps = _stamps(study)
    while (number := len(study.finished())) < budget.trials and not _is_over(budget, began):
        _try(study, number, told, stamps)
        study.forget_others()
        told.ended(tried_at(study, number), tried_at(study, study.best()))


def _is_over(budget: Budget, began: float) -> bool:
    return budget.seconds is not None and time.monotonic() - began >= budget.seconds


def _try(study: Study, number: int, told: Listener, stamps: Stamps) -> None:
    """Train the next candidate, unless it is pruned or refused, and tell the study."""
    trial = study.ask()
    try:
        own = study.subject.settings_of(trial.params)
        values, epochs = study.subject.judged(own, _reporting(trial, number, told))
    except optuna.TrialPruned:
        study.optuna_study.tell(trial, state=TrialState.PRUNED)
    except ValueError as error:  # it does not fit into memory, or its loss is not finite
        if not number:
            raise
        trial.set_user_attr(REASON, str(error))
        study.optuna_study.tell(trial, state=TrialState.PRUNED)
    else:
        _refuse_other_files(stamps, _stamps(study))
        study.keep(number, values)
        trial.set_user_attr(EPOCHS, epochs)
        study.optuna_study.tell(trial, float(values.mean()))


def _reporting(trial: optuna.Trial, number: int, told: Listener) -> Reporter:
    """Return what tells of each epoch, and prunes a candidate that is worse than most."""

    def report(step: int, value: float) -> None:
        told.epoch(number, step, value)
        trial.report(value, step)
        if trial.should_prune():
            raise optuna.TrialPruned

    return report


def _stamps(study: Study) -> Stamps:
    """Return which file each of those is that candidates are made of, and when it was written."""
    given = study.subject.given
    paths = [each for each in (given.train, given.validation, given.previous) if each is not None]
    return {path: _stamp(path.stat()) for path in paths}


def _stamp(stat: os.stat_result) -> tuple[int, ...]:
    return stat.st_ino, stat.st_size, stat.st_mtime_ns


def _refuse_other_files(before: Stamps, now: Stamps) -> None:
    if changed := [str(path) for path, stamp in before.items() if now[path] != stamp]:
        raise ValueError(
            f"{', '.join(changed)} was written anew while it was searched on: search again, as "
            "candidates of other data cannot be compared"
        )
