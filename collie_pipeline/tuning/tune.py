"""The search as a whole: what the command and the asset call."""

from logging import Logger

from collie_pipeline.ingredients import Ingredients
from collie_pipeline.tuning.outcome import Outcome, outcome
from collie_pipeline.tuning.searching import Budget, search
from collie_pipeline.tuning.study import opened
from collie_pipeline.tuning.subject import Subject
from collie_pipeline.tuning.tried import Listener, Tried

__all__ = ["Budget", "Listener", "Logged", "tune"]


class Logged(Listener):
    """Writes a line for each candidate into a log."""

    def __init__(self, log: Logger) -> None:
        self.log = log

    def ended(self, each: Tried, best: Tried) -> None:
        """Log what became of a candidate."""
        self.log.info("trial %s %s: %s; best %s", each.number, each.state, each.value, best.value)


def tune(
    model: str, given: Ingredients, week: str, budget: Budget, listener: Listener | None = None
) -> Outcome:
    """Search the settings of `model` on validation, from where an earlier search of it ended.

    Parameters
    ----------
    given : the present settings, and what candidates are made of; see `Subject`.
    week : of which the data are.
    budget : how long; one of no trials gives what there is.
    listener : is told how it goes.

    Returns
    -------
    The same for the same inputs, unless seconds ended it.

    Raises
    ------
    ValueError
        If the model has no settings, the present ones cannot be trained, nothing was tried yet, or
        the data changed meanwhile.
    """
    with opened(Subject(model, given), given.settings.root, week) as study:
        search(study, budget, listener)
        return outcome(study)
