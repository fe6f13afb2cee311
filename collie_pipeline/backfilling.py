"""Back-filling: weeks of the past, one after the other, each as `collie run` makes it."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.markup import escape

from collie_pipeline.due import published
from collie_pipeline.project import Project
from collie_pipeline.running import RunError, run_week
from collie_pipeline.weeks import Week, weeks_between

QUIET = Console(quiet=True)


@dataclass(frozen=True)
class Choice:
    """What a back-fill does beside making weeks that are not published.

    Parameters
    ----------
    force : whether weeks already published from the same inputs are made again.
    stop : whether the first week that fails is the last.
    """

    force: bool = False
    stop: bool = False


def weeks_of(project: Project, first: str | None, last: str | None) -> list[Week]:
    """Return the weeks from `first` to `last`, both included; all that are over by default.

    Raises
    ------
    ValueError
        If the source does not have one of them, it is not over, or `last` is before `first`.
    """
    begin = project.span[0] if first is None else project.week(first)
    return weeks_between(begin, project.week(last))


def backfill(
    project: Project, weeks: Sequence[Week], console: Console, choice: Choice
) -> list[Week]:
    """Make `weeks`, oldest first, with a line for each, and return those that failed.

    An older week than the one that serves is published beside it and does not take its place.
    """
    failed = []
    for number, week in enumerate(sorted(weeks), 1):
        with console.status(f"{week.key}  week {number} of {len(weeks)} …"):
            line, fine = _make(project, week, choice.force)
        console.print(line, highlight=False, soft_wrap=True)
        if not fine:
            failed.append(week)
            if choice.stop:
                break
    return failed


def _make(project: Project, week: Week, force: bool) -> tuple[str, bool]:
    """Return what is to be said of `week`, and whether it is published."""
    done = None if force else published(project, week)
    if done is not None:
        return f"{week.key}    as it is  {done.id}", True
    began = time.monotonic()
    try:
        said, fine = _publish(project, week, force), True
    except RunError as error:
        said, fine = f"[red]failed:[/] {escape(str(error))}", False
    return f"{week.key} {time.monotonic() - began:>8.1f} s  {said}", fine


def _publish(project: Project, week: Week, force: bool) -> str:
    """Make `week`, and return the id of its publication."""
    run_week(project, week, QUIET, force)
    made = published(project, week)
    if made is None:
        raise RunError("its source, settings or code changed while it was made: run it again")
    return made.id
