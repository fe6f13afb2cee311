"""`collie` in this process, as if it had been typed in some folder."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from collie_pipeline.cli import app

MODEL = "matrix_factorization"
SMALL = """
window_weeks = 3
[demo]
users = 120
items = 80
ratings = 2400
weeks = 3
[models]
names = ["popularity", "matrix_factorization"]
[models.matrix_factorization]
embedding_dim = 4
epochs = 6
[evaluation]
resamples = 200
"""


def collie(home: Path, *arguments: str, **more: str) -> tuple[int, str, str]:
    """Return the exit code, and what was said and complained of."""
    environment = {"DAGSTER_HOME": str(home / "dagster_home"), "COLUMNS": "200", **more}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(home)
        done = CliRunner().invoke(app, [*arguments], env=environment)
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.exit_code, done.stdout, done.stderr


def trials(said: str) -> list[str]:
    """Return the lines about single trials."""
    return [line for line in said.splitlines() if line.startswith("trial ")]
