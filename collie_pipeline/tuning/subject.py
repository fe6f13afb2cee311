"""What is tuned: a model made of one week's data, and judged on its validation."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import numpy.typing as npt
from torch import Tensor

from collie_core.bundle import save_bundle
from collie_core.interactions import InteractionsDataLoader
from collie_core.metrics import evaluate_per_user
from collie_core.recommend import scoring
from collie_core.tables import lookup
from collie_core.watchers import History
from collie_pipeline.evaluating import read_positives, seen_items
from collie_pipeline.ingredients import Ingredients, Made, read_ratings
from collie_pipeline.model_settings import is_explicit
from collie_pipeline.model_table import stages
from collie_pipeline.modelling import make
from collie_pipeline.planning import counts_in, refuse_what_does_not_fit
from collie_pipeline.sections import Section
from collie_pipeline.settings import Settings
from collie_pipeline.tuning.dimensions import Dimension
from collie_pipeline.tuning.space import idle, space_of
from collie_pipeline.tuning_settings import tunable

Values = npt.NDArray[np.float64]
Reporter = Callable[[int, float], None]  # of a step, from 0, and what validation says there


@dataclass(frozen=True)
class Subject:
    """A model, and what its candidates are made of; the test is in none of it.

    Parameters
    ----------
    model : its name.
    given : the present settings, the data, and the bundle it starts from where it starts from one.
        Candidates do not begin where last week's model ended: that would favour its settings.

    Raises
    ------
    ValueError
        If no model of that name has settings.
    """

    model: str
    given: Ingredients

    def __post_init__(self) -> None:
        lookup("model to tune", tunable(self.given.settings.models), self.model)

    @cached_property
    def present(self) -> Section:
        """The present settings of the model."""
        own: Section = getattr(self.given.settings.models, self.model)
        return own

    @cached_property
    def space(self) -> dict[str, Dimension]:
        """What is tried of each setting."""
        return space_of(self.present)

    @property
    def metric(self) -> str:
        """What candidates are judged by: "mapk", or "mse", of which less is better."""
        return "mse" if is_explicit(self.given.settings, self.model) else "mapk"

    @property
    def validation(self) -> Path:
        """The file that candidates are judged on, which must be given."""
        if self.given.validation is None:
            raise ValueError("validation is None: pass prepared/validation")
        return self.given.validation

    def settings_of(self, drawn: Mapping[str, Any]) -> Section:
        """Return the settings of the model that Optuna's `drawn` values mean.

        Those without effect stay as they are now; they are drawn, as Optuna learns how settings go
        together only where all candidates have the same ones.
        """
        now = self.present.model_dump()
        chosen = {name: self.space[name].setting(value) for name, value in drawn.items()}
        own = type(self.present)(**{**now, **chosen})
        return own.model_copy(update={name: now[name] for name in idle(own)})

    def judged(self, own: Section, report: Reporter) -> tuple[Values, int]:
        """Return what a candidate is worth, and how many epochs it was trained.

        Parameters
        ----------
        own : its settings.
        report : told of every epoch; a stage's steps begin where those of the one before could
            have ended at most, so that a step is the same epoch of the same stage in all.

        Returns
        -------
        MAP@K of each user, or the squared error of each rating; their mean is what training goes
        by when it chooses among epochs.
        """
        settings = with_settings(self.given.settings, self.model, own)
        made, epochs = self._made(settings, report)
        if self.metric == "mse":
            return _squared_errors(made.model, self.validation), epochs
        return self._mapk(made), epochs

    def _made(self, settings: Settings, report: Reporter) -> tuple[Made, int]:
        """Return the candidate's last stage, and the epochs that are in it."""
        given = replace(self.given, settings=settings)
        counts, most = counts_in(given.train), int(getattr(self.present, "epochs", 0))
        epochs, names = 0, [row.name for row in stages(self.model)]
        with TemporaryDirectory() as scratch:
            for number, name in enumerate(names):
                refuse_what_does_not_fit(name, settings, counts, given.device)
                made = make(name, replace(given, after_epoch=_reporting(report, number * most)))
                epochs += 0 if made.history is None else made.history.best_epoch
                if name != names[-1]:
                    bundle = Path(scratch, f"{number}.bundle")
                    save_bundle(made.model, bundle, made.ids)
                    given = replace(given, previous=bundle)
        return made, epochs

    def _mapk(self, made: Made) -> Values:
        per_user = evaluate_per_user(
            made.model,
            read_positives(self.validation),
            k=self.given.settings.evaluation.k,
            exclude=seen_items(self.given.train),
            metrics=("mapk",),
        )
        return per_user["mapk"].to_numpy()


def with_settings(settings: Settings, model: str, own: Section) -> Settings:
    """Return `settings` with `own` as those of `model`."""
    models = settings.models.model_copy(update={model: own})
    return settings.model_copy(update={"models": models})


def _reporting(report: Reporter, first: int) -> Callable[[History], None]:
    """Return what tells `report` of each epoch of a stage whose first step is `first`."""
    return lambda history: report(first + len(history.scores) - 1, history.scores[-1])


def _squared_errors(model: Any, ratings: Path) -> Values:
    loader = InteractionsDataLoader(read_ratings(ratings), num_workers=0)
    with scoring(model):
        errors = [
            (_scores(model, users, items) - given.double()).square().numpy()
            for users, items, given in loader
        ]
    return np.concatenate(errors)


def _scores(model: Any, users: Tensor, items: Tensor) -> Tensor:
    scores: Tensor = model(users.to(model.device), items.to(model.device))
    return scores.double().cpu()
