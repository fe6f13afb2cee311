"""The command that searches better settings of a model."""

from typing import Annotated

import typer

from collie_core.tables import lookup
from collie_pipeline.cli.common import WeekOption, console, explained
from collie_pipeline.model_table import stages
from collie_pipeline.project import Project
from collie_pipeline.settings import Settings, load_settings
from collie_pipeline.tuning import refuse_without_optuna
from collie_pipeline.tuning_settings import tunable

MODEL = "Name of the model, such as matrix_factorization."
TRIALS = "How many there are to be, those of an earlier search included; by default tuning.trials."
INTERRUPTED = 130  # as shells have it
SECONDS = "After how long no trial begins any more; by default tuning.seconds."


def tune(
    model: Annotated[str, typer.Argument(help=MODEL)],
    week: WeekOption = None,
    trials: Annotated[int | None, typer.Option(min=1, help=TRIALS)] = None,
    seconds: Annotated[float | None, typer.Option(min=0, help=SECONDS)] = None,
) -> None:
    """Search better settings of a model, judged on validation, and print them.

    Nothing changes until they are in collie.toml. What was tried stays: the same command goes on
    after the last trial, also after it was killed.
    """
    from collie_pipeline.threads import threads

    with explained():
        refuse_without_optuna()
        project = Project(with_model(load_settings(), model))
        chosen, own = project.week(week), project.settings.tuning
        from collie_pipeline.showing_tuning import Shown, outcome_lines  # torch loads here
        from collie_pipeline.tuning.preparing import prepared
        from collie_pipeline.tuning.tune import Budget
        from collie_pipeline.tuning.tune import tune as search

        budget = Budget(trials or own.trials, own.seconds if seconds is None else seconds)
        given = prepared(project, model, chosen, console)
        with threads(project.settings.threads):
            is_over = True
            try:
                with console.status(f"tuning {model}") as status:
                    found = search(model, given, chosen.key, budget, Shown(console, status))
            except KeyboardInterrupt:
                is_over = False
                found = search(model, given, chosen.key, Budget(0))
        for line in outcome_lines(found):
            console.print(line, soft_wrap=isinstance(line, str), highlight=False)
    if not is_over:
        console.print("\nStopped: the same command goes on.", style="yellow")
        raise typer.Exit(INTERRUPTED)


def with_model(settings: Settings, model: str) -> Settings:
    """Return `settings` with `model`, and what it starts from, among the models that are trained.

    Raises
    ------
    ValueError
        If no model of that name has settings to search.
    """
    lookup("model to tune", tunable(settings.models), model)
    before = stages(model)[0].after
    names = dict.fromkeys((*settings.models.names, *([before] if before else []), model))
    models = settings.models.model_copy(update={"names": tuple(names)})
    return settings.model_copy(update={"models": models})
