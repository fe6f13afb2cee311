"""What a search found: every candidate, the best one, and what it is better by."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from collie_core.metrics import Interval
from collie_pipeline.evaluating import difference
from collie_pipeline.sections import Section
from collie_pipeline.tuning.study import Study
from collie_pipeline.tuning.tried import Tried, tried


@dataclass(frozen=True)
class Outcome:
    """What a search found.

    Parameters
    ----------
    model : what was searched.
    metric, label : by what candidates are judged, and as people say it.
    tried : every candidate, the first the present settings.
    best : the best of them.
    gain : what `best` is better by than the present settings, with its bootstrap interval over
        users, or over ratings: above 0 is better. The best of many was also the luckiest, on these
        very users: what it is worth, only the test can tell.
    toml : the table of `collie.toml` that sets the best settings.
    """

    model: str
    metric: str
    label: str
    tried: Sequence[Tried]
    best: Tried
    gain: Interval
    toml: str


def outcome(study: Study) -> Outcome:
    """Return what the search found so far.

    Raises
    ------
    ValueError
        If nothing was judged yet.
    """
    subject, place = study.subject, study.best()
    ours, theirs = study.values(place), study.values(0)
    if subject.metric == "mse":
        ours, theirs = theirs, ours
    best = subject.settings_of(study.finished()[place].params)
    every = tried(study)
    return Outcome(
        subject.model,
        subject.metric,
        "MSE" if subject.metric == "mse" else f"MAP@{subject.given.settings.evaluation.k}",
        every,
        every[place],
        difference(ours, theirs, subject.given.settings.evaluation),
        toml(subject.model, best),
    )


def toml(model: str, own: Section) -> str:
    """Return the table of `collie.toml` that gives `model` the settings `own`, whole."""
    chosen = own.model_dump(exclude_defaults=True)
    lines = [f"{name} = {json.dumps(value)}" for name, value in chosen.items()]
    return "\n".join([f"[models.{model}]", *(lines or ["# every setting as it is by default"])])


def table(found: Outcome) -> pd.DataFrame:
    """Return a row a candidate: what became of it, and its settings; tuples as TOML has them."""
    rows = [
        {
            "trial": each.number,
            "state": each.state,
            "value": np.nan if each.value is None else each.value,
            "epochs": each.epochs,
            "reason": each.reason,
            **{name: cell(value) for name, value in each.settings.items()},
        }
        for each in found.tried
    ]
    return pd.DataFrame(rows)


def cell(value: Any) -> Any:
    """Return a setting as a table has it, and as people read it."""
    return json.dumps(value) if isinstance(value, tuple) else value


def ranked(found: Outcome) -> list[Tried]:
    """Return the candidates that were judged, the best first."""
    judged = [each for each in found.tried if each.state == "complete"]
    sign = 1 if found.metric == "mse" else -1
    return sorted(judged, key=lambda each: sign * (each.value or 0.0))


def said(found: Outcome) -> str:
    """Return in a sentence what the best candidate is worth."""
    first, best, gain = found.tried[0], found.best, found.gain
    if not best.number:
        many = len(found.tried)
        return f"The present settings are the best of {many}: {found.label} {best.value:.4f}"
    values = f"{found.label} {best.value:.4f} in place of {first.value:.4f} on validation"
    chance = "" if gain.excludes_zero else ", which may be chance"
    return f"{values}, better by {gain.mean:.4f} [{gain.low:.4f}, {gain.high:.4f}]{chance}."
