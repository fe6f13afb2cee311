"""The command that erases a user."""

from typing import Annotated

import typer

from collie_pipeline.cli.common import console, explained
from collie_pipeline.project import Project
from collie_pipeline.settings import load_settings


def erase_user(
    user: Annotated[str, typer.Argument(help="Id of the user, as the tables have it.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say where the user is.")] = False,
) -> None:
    """Erase a user from all that is kept, and search for what is left: exit with 1 if anything is.

    The source is not ours to change: its rows of the user are dropped from now on. What a model
    learnt from all users together goes when it is trained again, by the next `collie run`.
    """
    from collie_pipeline.erasing import erase_user as erase
    from collie_pipeline.running import dagster_home

    with explained():
        erasure = erase(Project(load_settings()), dagster_home(), user, dry_run)
        for place, said in [*erasure.found.items(), *erasure.exported.items()]:
            console.print(f"{place}  {said}", soft_wrap=True, markup=False, highlight=False)
        done = "would be erased from" if dry_run else "was erased from"
        tables = f" and {len(erasure.exported)} exported tables" if erasure.exported else ""
        console.print(f"The user {done} {len(erasure.found)} files{tables}.")
        if not dry_run:
            console.print("Nothing is left; their rows will not come in again.")
