"""Commands that make weeks."""

from typing import Annotated

import typer

from collie_pipeline.cli.common import WeekOption, console, explained, serving, show
from collie_pipeline.project import Project
from collie_pipeline.settings import load_settings
from collie_pipeline.showing import leaderboard_table, read_week

FIRST = "Monday of the first week; the source's first by default."
LAST = "Monday of the last week; the newest that is over by default."


def run(
    week: WeekOption = None,
    force: Annotated[bool, typer.Option(help="Make the week again, changed or not.")] = False,
) -> None:
    """Make everything for a week: from raw interactions to published recommendations."""
    from collie_pipeline.due import published
    from collie_pipeline.running import run_week

    with explained():
        project = Project(load_settings())
        chosen = project.week(week)
        done = None if force else published(project, chosen)
        if done is None:
            run_week(project, chosen, console, force)
            done = published(project, chosen) or serving(project)
        else:
            console.print(f"{done.id} is published already, from the same data and settings.")
        board = read_week(project.root, "evaluation/leaderboard", chosen.key)
        console.print(leaderboard_table(board, project.settings.evaluation.k))
        show(project, done)
        console.print(f"Published tables: {done.path}", soft_wrap=True, markup=False)


def backfill(
    first: Annotated[str | None, typer.Argument(metavar="[FROM]", help=FIRST)] = None,
    last: Annotated[str | None, typer.Argument(metavar="[TO]", help=LAST)] = None,
    force: Annotated[bool, typer.Option(help="Make weeks again, changed or not.")] = False,
    stop: Annotated[bool, typer.Option(help="Stop at the first week that fails.")] = False,
) -> None:
    """Make weeks one after the other, oldest first; one that is published already is left."""
    from collie_pipeline.backfilling import Choice, weeks_of
    from collie_pipeline.backfilling import backfill as make_weeks

    with explained():
        project = Project(load_settings())
        weeks = weeks_of(project, first, last)
        failed = make_weeks(project, weeks, console, Choice(force, stop))
        if failed:
            named = ", ".join(week.key for week in failed)
            raise ValueError(f"{len(failed)} of {len(weeks)} weeks failed: {named}")
