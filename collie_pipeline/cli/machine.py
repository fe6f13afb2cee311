"""Commands about this machine and its settings, and the UI."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from collie_pipeline.cli.common import console, explained
from collie_pipeline.settings import load_settings
from collie_pipeline.showing import settings_lines

MODULE = "collie_pipeline.definitions"


def doctor() -> None:
    """Say what this machine has, which settings would be used, and what stands in the way."""
    from collie_pipeline.doctor import examine, findings_table, is_well, newest_plan

    findings = examine()
    console.print(findings_table(findings))
    with explained():
        plan = newest_plan() if is_well(findings) else None
    if plan is not None:
        console.print(plan)
    if not is_well(findings):
        raise typer.Exit(1)


def settings() -> None:
    """Print the environment variable of every setting, and its value.

    In collie.toml, COLLIE_SPLIT__METHOD is `method` in the table `[split]`.
    """
    with explained():
        for line in settings_lines(load_settings()):
            console.print(line, soft_wrap=True, markup=False, highlight=False)


def ui(
    port: Annotated[int, typer.Option(help="Port on this machine.")] = 3000,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
) -> None:
    """Open the Dagster UI on the same assets."""
    from collie_pipeline.running import dagster_home

    with explained():
        load_settings()  # a wrong setting is better said here than in a log of the server
        dagster_home()
    # `dagster dev` warns that `dg dev` is to replace it, which shows no more and needs another tool
    os.environ.setdefault("PYTHONWARNINGS", "ignore:Function `dev_command` is superseded")
    here = ["-w", "workspace.yaml"] if Path("workspace.yaml").exists() else ["-m", MODULE]
    command = ["dagster", "dev", *here, "-h", host, "-p", str(port)]
    os.execv(Path(sys.executable).with_name("dagster"), command)  # noqa: S606 - no shell needed
