"""The `collie` command."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from collie_pipeline.project import Project
from collie_pipeline.settings import load_settings
from collie_pipeline.showing import (
    Catalogue,
    leaderboard_table,
    read_week,
    segments_table,
    settings_lines,
    similar_table,
    typical_user,
    user_table,
)
from collie_pipeline.storage import Publication, current

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
console = Console()
MODULE = "collie_pipeline.definitions"
FIRST = "Monday of the first week; the source's first by default."
LAST = "Monday of the last week; the source's newest by default."
WeekOption = Annotated[str | None, typer.Option(help="Monday of a week; the newest by default.")]


@contextmanager
def _explained() -> Iterator[None]:
    """Turn what a user can put right into one message and exit code 1."""
    from collie_pipeline.running import RunError

    try:
        yield
    except (ValueError, OSError, RunError) as error:
        said = f"[red]{type(error).__name__}[/]: {escape(str(error))}"
        Console(stderr=True).print(said, highlight=False, soft_wrap=True)
        raise typer.Exit(1) from None


def _serving(project: Project) -> Publication:
    serving = current(project.root)
    if serving is None:
        raise ValueError(f"nothing is published in {project.root} yet: use `collie run`")
    return serving


def _show(project: Project, publication: Publication, user_id: str | None = None) -> None:
    week = publication.week
    positives = read_week(project.root, "prepared/implicit", week)
    catalogue = Catalogue(read_week(project.root, "raw/items", week))
    user_id = user_id or typical_user(positives)
    console.print(user_table(publication, positives, catalogue, user_id))


@app.command()
def run(
    week: WeekOption = None,
    force: Annotated[bool, typer.Option(help="Make the week again, changed or not.")] = False,
) -> None:
    """Make everything for a week: from raw interactions to published recommendations."""
    from collie_pipeline.due import published
    from collie_pipeline.running import run_week

    with _explained():
        project = Project(load_settings())
        chosen = project.week(week)
        done = None if force else published(project, chosen)
        if done is None:
            run_week(project, chosen, console)
            done = published(project, chosen) or _serving(project)
        else:
            console.print(f"{done.id} is published already, from the same data and settings.")
        board = read_week(project.root, "evaluation/leaderboard", chosen.key)
        console.print(leaderboard_table(board, project.settings.evaluation.k))
        _show(project, done)
        console.print(f"Published tables: {done.path}", soft_wrap=True)


@app.command()
def backfill(
    first: Annotated[str | None, typer.Argument(metavar="[FROM]", help=FIRST)] = None,
    last: Annotated[str | None, typer.Argument(metavar="[TO]", help=LAST)] = None,
    force: Annotated[bool, typer.Option(help="Make weeks again, changed or not.")] = False,
    stop: Annotated[bool, typer.Option(help="Stop at the first week that fails.")] = False,
) -> None:
    """Make weeks one after the other, oldest first; one that is published already is left."""
    from collie_pipeline.backfilling import Choice, weeks_of
    from collie_pipeline.backfilling import backfill as make_weeks

    with _explained():
        project = Project(load_settings())
        weeks = weeks_of(project, first, last)
        failed = make_weeks(project, weeks, console, Choice(force, stop))
        if failed:
            named = ", ".join(week.key for week in failed)
            raise ValueError(f"{len(failed)} of {len(weeks)} weeks failed: {named}")


@app.command()
def leaderboard(
    week: WeekOption = None,
    segments: Annotated[bool, typer.Option(help="By warm, cold, head and tail instead.")] = False,
) -> None:
    """Print how the models of a week compare."""
    with _explained():
        project = Project(load_settings())
        key = _serving(project).week if week is None else project.week(week).key
        board = read_week(project.root, "evaluation/leaderboard", key)
        show = segments_table if segments else leaderboard_table
        console.print(show(board, project.settings.evaluation.k))


@app.command()
def doctor() -> None:
    """Say what this machine has, which settings would be used, and what stands in the way."""
    from collie_pipeline.doctor import examine, findings_table, is_well, newest_plan

    findings = examine()
    console.print(findings_table(findings))
    with _explained():
        plan = newest_plan() if is_well(findings) else None
    if plan is not None:
        console.print(plan)
    if not is_well(findings):
        raise typer.Exit(1)


@app.command()
def recommend(user: Annotated[str, typer.Argument(help="Id of a user.")]) -> None:
    """Print what is recommended to a user, beside what they liked."""
    with _explained():
        project = Project(load_settings())
        _show(project, _serving(project), user)


@app.command()
def similar(
    item: Annotated[str, typer.Argument(help="Id of an item, or part of its title.")],
) -> None:
    """Print the items most like an item."""
    with _explained():
        project = Project(load_settings())
        serving = _serving(project)
        catalogue = Catalogue(read_week(project.root, "raw/items", serving.week))
        console.print(similar_table(serving, catalogue, catalogue.find(item)))


@app.command()
def settings() -> None:
    """Print the environment variable of every setting, and its value.

    In collie.toml, COLLIE_SPLIT__METHOD is `method` in the table `[split]`.
    """
    with _explained():
        for line in settings_lines(load_settings()):
            console.print(line, soft_wrap=True, markup=False, highlight=False)


@app.command()
def ui(
    port: Annotated[int, typer.Option(help="Port on this machine.")] = 3000,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
) -> None:
    """Open the Dagster UI on the same assets."""
    from collie_pipeline.running import dagster_home

    with _explained():
        load_settings()  # a wrong setting is better said here than in a log of the server
        dagster_home()
    # `dagster dev` warns that `dg dev` is to replace it, which shows no more and needs another tool
    os.environ.setdefault("PYTHONWARNINGS", "ignore:Function `dev_command` is superseded")
    here = ["-w", "workspace.yaml"] if Path("workspace.yaml").exists() else ["-m", MODULE]
    command = ["dagster", "dev", *here, "-h", host, "-p", str(port)]
    os.execv(Path(sys.executable).with_name("dagster"), command)  # noqa: S606 - no shell needed


def main() -> None:
    """Run the command."""
    app()
