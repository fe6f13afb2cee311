"""All checks, and the one function that runs them."""

import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pytorch_lightning.utilities.seed import isolate_rng

from collie_core.model import BasePipeline
from collie_core.testing import answering, moving, training
from collie_core.testing.subject import OURS, Check, Subject

CHECKS: Mapping[str, Check] = {
    "shapes": answering.shapes,
    "finite": answering.finite,
    "evaluation": answering.evaluation,
    "modes": answering.modes,
    "ranking": answering.ranking,
    "candidates": answering.candidates,
    "vectors": answering.vectors,
    "tensors": moving.tensors,
    "layers": moving.layers,
    "devices": moving.devices,
    "bundle": moving.bundle,
    "gradients": training.gradients,
    "learning": training.learning,
    "ratings": training.ratings,
    "seeds": training.seeds,
    "stages": training.stages,
}


class NonconformanceError(AssertionError):
    """A model breaks rules: `violations` has the messages by the name of the check."""

    def __init__(self, model_class: type, violations: Mapping[str, list[str]]) -> None:
        lines = [f"- {name}: {each}" for name, said in violations.items() for each in said]
        super().__init__("\n".join([f"{model_class.__name__} is no model yet:", *lines]))
        self.violations = violations


def check_model(model_class: type[BasePipeline], /, **arguments: Any) -> None:
    """Return if `model_class` is a model that trainers, metrics and bundles can rely on.

    It is built on `small_interactions`, of 12 users and 10 items, several times and in each of its
    stages. In a test of your own: ``check_model(MyModel, embedding_dim=4)``.

    Parameters
    ----------
    model_class : a subclass of `BasePipeline`.
    **arguments : its hyperparameters. With ``loss="mse"`` or "mae" it is checked on ratings.

    Raises
    ------
    NonconformanceError
        If it is not; the message has everything that was found, by the name of the check.
    TypeError
        If it is no `BasePipeline`, or an argument that it needs is not given. What its own
        constructor raises is passed on.
    """
    if not (isinstance(model_class, type) and issubclass(model_class, BasePipeline)):
        raise TypeError(f"{model_class!r} is no model class: derive one from BasePipeline")
    subject = Subject(model_class, arguments)
    _check_arguments(subject)
    with isolate_rng():
        stages = subject.stages()
        violations = {name: _violations(check, stages) for name, check in CHECKS.items()}
    if found := _without_repeats(violations):
        raise NonconformanceError(model_class, found)


def _check_arguments(subject: Subject) -> None:
    name = subject.model_class.__name__
    if doubled := sorted(OURS & subject.arguments.keys()):
        raise TypeError(f"{doubled} are given, but check_model has its own: leave them out")
    if missing := [
        each for each in subject.required() if each not in OURS | subject.arguments.keys()
    ]:
        call = ", ".join([name, *(f"{each}=..." for each in missing)])
        raise TypeError(f"{name} needs {missing}, which are not given: use check_model({call})")


def _violations(check: Check, stages: Sequence[Subject]) -> list[str]:
    """Return what `check` finds in every stage; an error is a finding too."""
    found = []
    for each in stages:
        where = f"in stage {each.stage!r}, " if each.stage else ""
        try:
            found += [f"{where}{message}" for message in check(each)]
        except Exception as error:  # whatever a foreign model raises
            found.append(where + _described(error))
    return found


def _described(error: Exception) -> str:
    frame = traceback.extract_tb(error.__traceback__)[-1]
    place = f"{Path(frame.filename).name}:{frame.lineno}"
    return f"{type(error).__name__} in {frame.name} ({place}): {error}"


def _without_repeats(violations: Mapping[str, list[str]]) -> dict[str, list[str]]:
    """Return what was found, each finding once, by the first check that has it."""
    first: dict[str, str] = {}
    for name, messages in violations.items():
        for message in messages:
            first.setdefault(message, name)
    found: dict[str, list[str]] = {}
    for message, name in first.items():
        found.setdefault(name, []).append(message)
    return found
