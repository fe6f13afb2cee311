"""Every kind of file that a run writes, flipped and cut: named, or made again, and never used."""

import random
import shutil
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from rich.console import Console
from small_project import SMALL, small_settings
from typer.testing import CliRunner

from collie_core.files import sha256
from collie_pipeline.cli import app
from collie_pipeline.due import published
from collie_pipeline.project import Project
from collie_pipeline.running import run_week
from collie_pipeline.storage import current, is_sound

NAMES = ("popularity", "item_knn", "matrix_factorization")
FEW = {**SMALL["models"], "names": NAMES} if isinstance(SMALL["models"], dict) else {}
QUIET = Console(quiet=True)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with all that `collie run` makes, and Dagster's."""
    home = tmp_path_factory.mktemp("made")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DAGSTER_HOME", str(home / "dagster_home"))
        project = project_in(home)
        run_week(project, project.week(), QUIET)
        yield home


def project_in(home: Path) -> Project:
    return Project(small_settings(home / "data", window_weeks=2, models=FEW))


@pytest.fixture
def project(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """The same, to be damaged."""
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    monkeypatch.setattr("collie_pipeline.cli.looking.load_settings", lambda: project.settings)
    project = project_in(tmp_path)
    return project


def damage(path: Path, seed: int) -> None:
    """Flip a bit of the file, or cut it."""
    chosen, content = random.Random(seed), bytearray(path.read_bytes())  # noqa: S311
    place = chosen.randrange(len(content))
    if seed % 2:
        content[place] ^= 1 << chosen.randrange(8)
    else:
        del content[place:]
    path.write_bytes(content)


def tables(project: Project) -> dict[str, str]:
    serving = current(project.root)
    assert serving is not None
    return {path.name: sha256(path) for path in serving.path.iterdir() if path.name != "run.json"}


OF_THE_WINDOW = ("prepared/clean/{before}.parquet", "raw/interactions/{before}.parquet")
OF_THE_WEEK = (
    "raw/items/{week}.parquet",
    "prepared/implicit/{week}.parquet",
    "prepared/hdf5/{week}.h5",
    "prepared/test/{week}.h5",
    "models/popularity/{week}.bundle",
    "evaluation/leaderboard/{week}.parquet",
    "recommendations/users/{week}.parquet.sha256",
    "recommendations/report/{week}.html",
)


def named(project: Project, name: str) -> Path:
    week = project.week()
    return project.root / name.format(week=week.key, before=week.previous.key)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_a_run_makes_every_damaged_file_again(project: Project, seed: int) -> None:
    before = tables(project)
    for name in (*OF_THE_WINDOW, *OF_THE_WEEK):
        damage(named(project, name), seed)
    shutil.rmtree(project.root / "publications")
    run_week(project, project.week(), QUIET)
    assert tables(project) == before
    assert published(project, project.week()) is not None
    again = [named(project, name) for name in (*OF_THE_WINDOW, *OF_THE_WEEK)]
    assert all(is_sound(path) for path in again if path.suffix != ".sha256")


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_a_damaged_publication_is_made_again(project: Project, seed: int) -> None:
    before = tables(project)
    serving = current(project.root)
    assert serving is not None
    for name in ("users.parquet", "champion.bundle"):
        damage(serving.path / name, seed)
    assert published(project, project.week()) is None
    run_week(project, project.week(), QUIET)
    assert tables(project) == before


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(
    ("command", "name"),
    [
        (["leaderboard"], "evaluation/leaderboard/{week}.parquet"),
        (["recommend", "user-0001"], "raw/items/{week}.parquet"),
        (["recommend", "user-0001"], "prepared/implicit/{week}.parquet"),
        (["recommend", "user-0001"], "publications/{id}/users.parquet"),
        (["recommend", "user-0001"], "publications/{id}/manifest.json"),
        (["similar", "{item}"], "publications/{id}/similar_items.parquet"),
    ],
)
def test_a_command_names_the_damaged_file(
    project: Project, command: list[str], name: str, seed: int
) -> None:
    serving = current(project.root)
    assert serving is not None
    path = project.root / name.format(week=serving.week, id=serving.id)
    item = pd.read_parquet(serving.table("similar_items"))["item_id"].iloc[0]
    damage(path, seed)
    said = CliRunner().invoke(app, [word.format(item=item) for word in command])
    assert said.exit_code == 1
    assert str(path) in said.output or str(path.parent) in said.output
