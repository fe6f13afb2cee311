"""Commands about publications: which there are, which serves, and what they were made of."""

from collections.abc import Sequence
from typing import Annotated

import typer

from collie_pipeline.choosing import CURRENT, PREVIOUS, chosen
from collie_pipeline.cli.common import console, explained
from collie_pipeline.project import Project
from collie_pipeline.settings import load_settings
from collie_pipeline.showing import Catalogue, read_week
from collie_pipeline.storage import Publication, current

ID = '"current", "previous", an id, or the beginning of one.'


def publications() -> None:
    """Print the publications: when each was made, how large it is, and which one serves."""
    from collie_pipeline.showing_publications import publications_table

    with explained():
        root = Project(load_settings()).root
        console.print(publications_table(root))
        current(root)  # says why, if the one that should serve does not


def rollback(
    identity: Annotated[
        str, typer.Argument(metavar="[ID]", help="Which is to serve; the one before by default.")
    ] = PREVIOUS,
) -> None:
    """Let an earlier publication serve, after its files were held to their hashes.

    What is rolled back serves again by `collie rollback ID` only: not when its week is made again
    from the same inputs. A newer week, or the same week of other inputs, serves as ever.
    """
    from collie_pipeline.storage import rollback as roll_back

    with explained():
        root = Project(load_settings()).root
        serves = roll_back(root, chosen(root, identity).id)
        console.print(f"{serves.id} serves now: {serves.path}", soft_wrap=True)


def verify(
    identity: Annotated[str, typer.Argument(metavar="[ID]", help=ID)] = CURRENT,
    every: Annotated[bool, typer.Option("--all", help="All there are.")] = False,
) -> None:
    """Hold every file of a publication to its hash; exit with 1 if one is damaged."""
    from collie_pipeline.verifying import faults

    with explained():
        root = Project(load_settings()).root
        found = faults(root) if every else faults(root, chosen(root, identity))
        for name, wrong in found.items():
            console.print(f"{name}  {', '.join(wrong) or 'whole'}", soft_wrap=True, markup=False)
        damaged = [name for name, wrong in found.items() if wrong]
        if damaged:
            raise ValueError(
                f"{len(damaged)} of {len(found)} are damaged: `collie rollback` lets another serve,"
                " `collie run --week WEEK --force` makes one again"
            )


def diff(
    before: Annotated[str, typer.Argument(help=ID)] = PREVIOUS,
    after: Annotated[str, typer.Argument(help=ID)] = CURRENT,
    user: Annotated[str | None, typer.Option(help="Only this user's lists, side by side.")] = None,
) -> None:
    """Print what changed from one publication to another: in whose lists, and which items."""
    from collie_pipeline.differing import difference, difference_tables, user_difference

    with explained():
        project = Project(load_settings())
        then, now = chosen(project.root, before), chosen(project.root, after)
        catalogue = _catalogue(project, [then, now])
        if user is not None:
            console.print(user_difference(then, now, user, catalogue))
            return
        console.print(f"{then.id} → {now.id}", soft_wrap=True)
        for table in difference_tables(difference(then, now), catalogue):
            console.print(table)


def explain(
    user: Annotated[str, typer.Argument(help="Id of a user.")],
    item: Annotated[str, typer.Argument(help="Id of an item in their list, or part of a title.")],
    of: Annotated[str, typer.Option(help=ID)] = CURRENT,
) -> None:
    """Print how an item came to a user: model, window, run, and the rows it came of."""
    from collie_pipeline.showing_publications import trace_lines
    from collie_pipeline.tracing import trace

    with explained():
        project = Project(load_settings())
        publication = chosen(project.root, of)
        catalogue = _catalogue(project, [publication])
        found = trace(project.root, publication, user, catalogue.find(item))
        for line in trace_lines(found, catalogue, user):
            console.print(line, soft_wrap=isinstance(line, str), highlight=False)


def _catalogue(project: Project, of: Sequence[Publication]) -> Catalogue:
    """Return the items known by the newest week of some publications."""
    return Catalogue(read_week(project.root, "raw/items", max(each.week for each in of)))
