"""`collie run`, killed again and again, and run twice at once."""

import os
import random
import subprocess
import sys
from pathlib import Path

import pytest
from dagster import DagsterInstance

from collie_pipeline.storage import current

COLLIE = str(Path(sys.executable).with_name("collie"))
SMALL = """
window_weeks = 2
[demo]
users = 120
items = 80
ratings = 2400
weeks = 3
[models]
names = ["popularity", "item_knn", "matrix_factorization"]
[models.matrix_factorization]
embedding_dim = 4
epochs = 2
[evaluation]
resamples = 200
"""
KILLS = 4


def started(home: Path) -> "subprocess.Popen[str]":
    (home / "collie.toml").write_text(SMALL)
    return subprocess.Popen(
        [COLLIE, "run"],
        cwd=home,
        env={**os.environ, "DAGSTER_HOME": str(home / "dagster_home"), "COLUMNS": "200"},
        stdout=subprocess.PIPE,
        text=True,
    )


def finished(home: Path) -> str:
    process = started(home)
    said, _ = process.communicate()
    assert process.returncode == 0, said
    return said


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("undisturbed")
    finished(home)
    return home


def manifest(home: Path) -> object:
    serving = current(home / "data" / "demo")
    assert serving is not None
    assert serving.is_whole()
    return serving.manifest


@pytest.mark.slow
def test_a_run_killed_again_and_again_ends_with_the_same_bytes(
    undisturbed: Path, tmp_path: Path
) -> None:
    chosen = random.Random(0)  # noqa: S311 - it is to be the same each time
    for _ in range(KILLS):
        with started(tmp_path) as process:
            assert process.stdout is not None
            for _ in range(chosen.randint(1, 6)):  # lines: an asset made, or what stays
                process.stdout.readline()
            process.kill()
        serving = current(tmp_path / "data" / "demo")
        assert serving is None or serving.is_whole()
    finished(tmp_path)
    assert manifest(tmp_path) == manifest(undisturbed)
    with DagsterInstance.from_config(str(tmp_path / "dagster_home")) as instance:
        assert all(run.is_finished for run in instance.get_runs()), "dead runs are closed"
    assert list(tmp_path.glob("data/demo/p*/*/.*.tmp")) == []


@pytest.mark.slow
def test_two_runs_of_a_week_at_once_both_end_well(undisturbed: Path, tmp_path: Path) -> None:
    (tmp_path / "dagster_home").mkdir()
    (tmp_path / "dagster_home" / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    with started(tmp_path) as one, started(tmp_path) as other:
        said = one.communicate()[0], other.communicate()[0]
    assert (one.returncode, other.returncode) == (0, 0), said
    assert any("is being made by process" in each for each in said)
    assert manifest(tmp_path) == manifest(undisturbed)
