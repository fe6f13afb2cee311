"""What all commands share: what they print on, and how they fail."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from collie_pipeline.project import Project
from collie_pipeline.showing import Catalogue, read_week, typical_user, user_table
from collie_pipeline.storage import Publication, current
from collie_pipeline.text import harmless

console = Console()
WeekOption = Annotated[str | None, typer.Option(help="Monday of a week; the newest by default.")]


@contextmanager
def explained() -> Iterator[None]:
    """Turn what a user can put right into one message and exit code 1."""
    from collie_pipeline.running import RunError

    try:
        yield
    except (ValueError, OSError, RunError) as error:
        said = f"[red]{type(error).__name__}[/]: {escape(harmless(error))}{_way_out(error)}"
        Console(stderr=True).print(said, highlight=False, soft_wrap=True)
        raise typer.Exit(1) from None


def _way_out(error: Exception) -> str:
    if os.strerror(errno.ENOSPC) not in str(error):
        return ""
    return ": make room there and use the same command again, which goes on from what is there"


def serving(project: Project) -> Publication:
    """Return the publication that serves; without one the way out is said."""
    found = current(project.root)
    if found is None:
        raise ValueError(f"nothing is published in {project.root} yet: use `collie run`")
    return found


def show(project: Project, publication: Publication, user_id: str | None = None) -> None:
    """Print what is recommended to a user, or to a typical one, beside what they liked."""
    week = publication.week
    positives = read_week(project.root, "prepared/implicit", week)
    catalogue = Catalogue(read_week(project.root, "raw/items", week))
    user_id = user_id or typical_user(positives)
    console.print(user_table(publication, positives, catalogue, user_id))
