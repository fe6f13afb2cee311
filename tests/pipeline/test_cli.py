"""The command as a user types it: a process of its own."""

import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from collie_pipeline.storage import current

COLLIE = str(Path(sys.executable).with_name("collie"))
SMALL = """
window_weeks = 3
[demo]
users = 120
items = 80
ratings = 2400
weeks = 4
[models]
names = ["popularity", "item_knn", "matrix_factorization"]
[models.matrix_factorization]
embedding_dim = 4
epochs = 2
[evaluation]
resamples = 200
"""


def collie(home: Path, *arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    settings = {"DAGSTER_HOME": str(home / "dagster_home"), "COLUMNS": "100", **environment}
    kept = {name: value for name, value in os.environ.items() if not name.startswith("COLLIE_")}
    return subprocess.run(
        [COLLIE, *arguments],
        cwd=home,
        env={**kept, **settings},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which `collie run` has run."""
    home = tmp_path_factory.mktemp("home")
    (home / "collie.toml").write_text(SMALL)
    done = collie(home, "run")
    assert done.returncode == 0, done.stderr
    (home / "said.txt").write_text(done.stdout)
    return home


def test_a_run_prints_the_board_a_user_and_the_folder(home: Path) -> None:
    said = (home / "said.txt").read_text()
    for expected in ("recommendations/publication", "Leaderboard: ", "liked (", "recommended ("):
        assert expected in said
    serving = current(home / "data" / "demo")
    assert serving is not None
    assert f"Published tables: data/demo/publications/{serving.id}" in said


def test_a_second_run_changes_nothing(home: Path) -> None:
    files = {path: path.stat().st_mtime_ns for path in (home / "data").rglob("*")}
    said = collie(home, "run")
    assert said.returncode == 0
    assert "is published already" in said.stdout
    assert said.stderr == ""
    assert {path: path.stat().st_mtime_ns for path in (home / "data").rglob("*")} == files


def test_a_user_gets_titles(home: Path) -> None:
    serving = current(home / "data" / "demo")
    assert serving is not None
    lists = pd.read_parquet(serving.table("users"))
    user_id = lists["user_id"].iloc[0]
    first = lists["item_id"].iloc[0]
    items = pd.read_parquet(home / "data" / "demo" / "raw" / "items" / f"{serving.week}.parquet")
    title = items.set_index("item_id")["title"][first]
    said = collie(home, "recommend", user_id, COLUMNS="200")
    assert said.returncode == 0
    assert title in said.stdout


def test_an_item_is_found_by_its_title(home: Path) -> None:
    serving = current(home / "data" / "demo")
    assert serving is not None
    item_id = pd.read_parquet(serving.table("similar_items"))["item_id"].iloc[0]
    items = pd.read_parquet(home / "data" / "demo" / "raw" / "items" / f"{serving.week}.parquet")
    title = items.set_index("item_id")["title"][item_id]
    said = collie(home, "similar", title, COLUMNS="200")
    assert said.returncode == 0, said.stderr
    assert said.stdout.startswith(f"like {title}")


@pytest.mark.parametrize(
    ("arguments", "environment", "expected"),
    [
        (("recommend", "nobody"), {}, "no user 'nobody'"),
        (("similar", "no such film"), {}, "no item is called 'no such film'"),
        (("run", "--week", "2026-01-06"), {}, "must begin on a Monday"),
        (
            ("run", "--week", "2031-01-06"),
            {},
            "2031-01-06 is not in the source yet: use 2026-01-05",
        ),
        (("run",), {"COLLIE_SOURCE": "demmo"}, "unknown source 'demmo'"),
        (("run",), {"COLLIE_SORCE": "demo"}, "did you mean COLLIE_SOURCE?"),
        (("run",), {"COLLIE_WINDOW_WEEKS": "0"}, "window_weeks is '0'"),
        (("run",), {"COLLIE_SOURCE": "files", "COLLIE_DATA_PATH": "/nowhere"}, "/nowhere"),
        (("leaderboard",), {"COLLIE_ROOT": "elsewhere"}, "nothing is published in elsewhere yet"),
    ],
)
def test_a_mistake_is_one_message_and_no_traceback(
    home: Path, arguments: tuple[str, ...], environment: dict[str, str], expected: str
) -> None:
    said = collie(home, *arguments, **{"COLUMNS": "400", **environment})
    assert said.returncode == 1
    assert expected in said.stderr
    assert "Traceback" not in said.stderr + said.stdout


def test_settings_are_listed_with_their_variables(home: Path) -> None:
    said = collie(home, "settings")
    assert "COLLIE_MODELS__MATRIX_FACTORIZATION__EMBEDDING_DIM = 4" in said.stdout
