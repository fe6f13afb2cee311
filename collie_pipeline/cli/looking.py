"""Commands that show what was made."""

from typing import Annotated

import typer

from collie_pipeline.cli.common import WeekOption, console, explained, serving, show
from collie_pipeline.project import Project
from collie_pipeline.settings import load_settings
from collie_pipeline.showing import (
    Catalogue,
    leaderboard_table,
    read_week,
    segments_table,
    similar_table,
)
from collie_pipeline.showing_weeks import weeks_tables


def leaderboard(
    week: WeekOption = None,
    segments: Annotated[bool, typer.Option(help="By warm, cold, head and tail instead.")] = False,
    weeks: Annotated[bool, typer.Option(help="Week after week instead.")] = False,
) -> None:
    """Print how the models of a week compare."""
    with explained():
        project = Project(load_settings())
        key = serving(project).week if week is None else project.week(week).key
        if weeks:
            console.print(*weeks_tables(project.root, key, project.settings.evaluation.k))
            return
        board = read_week(project.root, "evaluation/leaderboard", key)
        made = segments_table if segments else leaderboard_table
        console.print(made(board, project.settings.evaluation.k))


def recommend(user: Annotated[str, typer.Argument(help="Id of a user.")]) -> None:
    """Print what is recommended to a user, beside what they liked."""
    with explained():
        project = Project(load_settings())
        show(project, serving(project), user)


def similar(
    item: Annotated[str, typer.Argument(help="Id of an item, or part of its title.")],
) -> None:
    """Print the items most like an item."""
    with explained():
        project = Project(load_settings())
        publication = serving(project)
        catalogue = Catalogue(read_week(project.root, "raw/items", publication.week))
        console.print(similar_table(publication, catalogue, catalogue.find(item)))
