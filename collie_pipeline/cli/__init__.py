"""The `collie` command: what there is to do, in the order of its help."""

import io
import sys

import typer

from collie_pipeline.cli.erasing import erase_user
from collie_pipeline.cli.exports import export
from collie_pipeline.cli.looking import leaderboard, recommend, similar
from collie_pipeline.cli.machine import doctor, settings, ui
from collie_pipeline.cli.publications import diff, explain, publications, rollback, verify
from collie_pipeline.cli.reports import report
from collie_pipeline.cli.tuning import tune
from collie_pipeline.cli.weeks import backfill, run

COMMANDS = (
    *(run, backfill, leaderboard, report, recommend, similar, explain, tune),
    *(publications, rollback, verify, diff, export),
    *(erase_user, doctor, settings, ui),
)

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
for command in COMMANDS:
    app.command()(command)


def main() -> None:
    """Run the command; what the terminal's encoding lacks is shown as a question mark."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    app()
