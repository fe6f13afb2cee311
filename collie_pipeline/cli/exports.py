"""The command that exports what serves."""

from typing import Annotated

import typer

from collie_pipeline.cli.common import console, explained, serving
from collie_pipeline.project import Project
from collie_pipeline.settings import load_settings
from collie_pipeline.storage import Publication, publications

ID = "Id of the publication that serves, or the beginning of one."


def export(
    publication: Annotated[str | None, typer.Argument(metavar="[ID]", help=ID)] = None,
) -> None:
    """Put what serves where the settings say: DuckDB, PostgreSQL, vectors."""
    from collie_pipeline.exports import compared, targets
    from collie_pipeline.exports import export as put

    with explained():
        settings = load_settings()
        if not targets(settings):
            raise ValueError(
                "no export is set: set exports.duckdb, exports.postgres or exports.vectors"
            )
        project = Project(settings)
        chosen = serving(project) if publication is None else _named(project, publication)
        done = put(chosen, settings)
        for each in done:
            rows = ", ".join(f"{count:,} {name}" for name, count in each.rows.items()) or "no rows"
            said = f"{each.publication}  {each.target:<9} {each.seconds:6.1f} s  {rows}"
            console.print(said, highlight=False, soft_wrap=True)
        finding = compared(done, settings)
        if not finding.passed:
            raise ValueError(finding.said)


def _named(project: Project, beginning: str) -> Publication:
    """Return the one publication whose id begins so."""
    every = publications(project.root)
    fitting = [each for each in every if each.id.startswith(beginning)]
    if len(fitting) != 1:
        known = ", ".join(each.id for each in every) or "none yet"
        raise ValueError(
            f"{len(fitting)} publications are called {beginning!r}, must be one: there are {known}"
        )
    return fitting[0]
