"""What a model gains by beginning where that of the week before ended, on weeks of the demo.

    python -m benchmarks.warm_start [WEEKS] [MODEL]

MODEL (`matrix_factorization`) with the default settings of `collie_pipeline`, over the newest WEEKS
(3), each from scratch and warm: from the warm model of the week before, the first of which began
from scratch. Nothing else differs. `to 98%` is the epoch after which validation was at least that
share of the best one from scratch. Validation and test are those of the pipeline, and so are the
epochs, which validation chooses. The last rows are means over the weeks; `never` is there what a
single week makes of a mean.
"""

import math
import os
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from rich.console import Console

from collie_core.bundle import save_bundle
from collie_core.watchers import History
from collie_pipeline.evaluating import per_user_metrics
from collie_pipeline.ingredients import Ingredients, Made
from collie_pipeline.modelling import make
from collie_pipeline.project import Project
from collie_pipeline.running import make_assets
from collie_pipeline.settings import load_settings
from collie_pipeline.threads import threads
from collie_pipeline.weeks import Week

ENOUGH = 0.98  # of the best validation from scratch
QUIET = Console(quiet=True)
PARTS = ("train", "validation", "test")
HEADINGS = (
    "epochs, best",
    "run",
    "seconds",
    f"to {ENOUGH:.0%}",
    "first epoch",
    "validation",
    "test",
)


@dataclass(frozen=True)
class Fitted:
    """A model of one week, and its MAP@K on the test."""

    made: Made
    test: float

    @property
    def history(self) -> History:
        """How its training went."""
        if self.made.history is None:
            raise ValueError("the model has no history, must have epochs")
        return self.made.history


def compare(weeks: int, model: str) -> Iterator[tuple[Week, Fitted, Fitted]]:
    """Give for each of the newest `weeks` the `model` from scratch and the warm one."""
    with TemporaryDirectory() as folder:
        os.environ["DAGSTER_HOME"] = str(Path(folder, "dagster_home"))
        models = {"names": [model]}
        project = Project(load_settings(root=Path(folder, "data"), source="demo", models=models))
        last: dict[str, Path] = {}
        for week in project.window(project.span[1])[-weeks - 1 :]:
            make_assets(project, week, [f"prepared/{part}" for part in PARTS], QUIET)
            given = _given(project, week)
            scratch = _fitted(project, model, given, week)
            again = replace(given, warm=last)
            warm = _fitted(project, model, again, week) if last else scratch
            if last:
                yield week, scratch, warm
            last = {model: Path(folder, f"{week.key}.bundle")}
            save_bundle(warm.made.model, last[model], warm.made.ids)


def _given(project: Project, week: Week) -> Ingredients:
    train, validation, _ = _paths(project, week)
    return Ingredients(project.settings, train, validation)


def _paths(project: Project, week: Week) -> list[Path]:
    return [Path(project.root, "prepared", part, f"{week.key}.h5") for part in PARTS]


def _fitted(project: Project, model: str, given: Ingredients, week: Week) -> Fitted:
    train, validation, test = _paths(project, week)
    with threads(project.settings.threads):
        made = make(model, given)
        judged = per_user_metrics(
            made.model, test, (train, validation), project.settings.evaluation
        )
    return Fitted(made, float(judged["mapk"].mean()))


def epochs_to(score: float, history: History) -> int | None:
    """Return after how many epochs validation was at least `score`, None if it never was."""
    reached = (epoch for epoch, each in enumerate(history.scores, 1) if each >= score)
    return next(reached, None)


def _numbers(fitted: Fitted, enough: float) -> list[float]:
    """Return the number under each of HEADINGS; infinity where validation never was `enough`."""
    history = fitted.history
    reached = epochs_to(enough, history)
    return [
        history.best_epoch,
        len(history.scores),
        history.seconds,
        math.inf if reached is None else reached,
        history.scores[0],
        history.best_score,
        fitted.test,
    ]


def _print(title: str, numbers: Sequence[float]) -> None:
    cells = ("never" if math.isinf(each) else f"{each:.4g}" for each in numbers)
    print(f"{title:20}", *(f"{cell:>12}" for cell in cells), flush=True)


def main(weeks: str = "3", model: str = "matrix_factorization") -> None:
    """Print a table."""
    began = time.monotonic()
    print(f"{'':20}", *(f"{heading:>12}" for heading in HEADINGS))
    rows: dict[str, list[list[float]]] = {"scratch": [], "warm": []}
    for week, *both in compare(int(weeks), model):
        enough = ENOUGH * both[0].history.best_score
        for (name, above), fitted in zip(rows.items(), both, strict=True):
            above.append(_numbers(fitted, enough))
            _print(f"{week.key} {name:>9}", above[-1])
    for name, each in rows.items():
        _print(f"mean {name:>15}", np.mean(each, axis=0).tolist())
    print(f"{time.monotonic() - began:.0f} seconds")


if __name__ == "__main__":
    main(*sys.argv[1:])
