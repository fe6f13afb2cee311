"""The same week, settings and seed give the same bytes, wherever and however they are made."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest

from collie_pipeline.model_settings import ModelName
from collie_pipeline.settings import load_settings
from collie_pipeline.sources import make_source

COLLIE = str(Path(sys.executable).with_name("collie"))
NAMES = get_args(ModelName)
NEURAL = [name for name in NAMES if name not in ("popularity", "item_knn", "ease")]
SETTINGS = "\n".join(
    [
        "source = 'files'\nwindow_weeks = 3\nsplit.method = 'stratified'",
        "files = {interactions = 'rows-*.csv', items = 'films.csv', time_unit = 's'}",
        "evaluation.resamples = 100",
        f"models.names = {list(NAMES)}",
        *(f"models.{name} = {{epochs = 1, num_negative_samples = 3}}" for name in NEURAL),
    ]
)
ONE = {"PYTHONHASHSEED": "1", "OMP_NUM_THREADS": "1", "TZ": "UTC", "LC_ALL": "C.UTF-8"}
OTHER = {
    "PYTHONHASHSEED": "2",
    "OMP_NUM_THREADS": "3",
    "OPENBLAS_NUM_THREADS": "2",
    "TZ": "Pacific/Kiritimati",
    "LC_ALL": "POSIX",
    "PYTHONUTF8": "0",
}

OF_ONE_RUN = ("run.json", ".lock")  # a run's id, and the process that holds a lock


def write_files(folder: Path, *, newest_first: bool) -> None:
    """Write the demo set as files, whose order in the folder is the one they were written in."""
    small = {"users": 150, "items": 120, "ratings": 2_500, "weeks": 3}
    source = make_source(load_settings(demo=small))
    first, last = source.span()
    weeks = [first, first.next, last]
    folder.mkdir(parents=True)
    for week in weeks[::-1] if newest_first else weeks:
        rows = source.interactions(week).drop(columns="source_row")
        rows.to_csv(folder / f"rows-{week.key}.csv", index=False)
    source.items(last).to_csv(folder / "films.csv", index=False)


def hashes(folder: Path) -> dict[str, str]:
    paths = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in paths
    }


def made(home: Path, variables: dict[str, str], *, newest_first: bool) -> dict[str, str]:
    """Return the hash of every file that `collie run` makes in `home`."""
    write_files(home / "in", newest_first=newest_first)
    (home / "collie.toml").write_text(SETTINGS)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("COLLIE_")}
    ours = {"COLLIE_DATA_PATH": str(home / "in"), "DAGSTER_HOME": str(home / "dagster")}
    done = subprocess.run(
        [COLLIE, "run"],
        cwd=home,
        env={**kept, **variables, **ours},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr + done.stdout
    found = hashes(home / "data" / "files")
    return {name: value for name, value in found.items() if not name.endswith(OF_ONE_RUN)}


@pytest.mark.slow
def test_every_file_is_the_same(tmp_path: Path) -> None:
    one = made(tmp_path / "one", ONE, newest_first=False)
    other = made(tmp_path / "quite" / "another place", OTHER, newest_first=True)
    assert {Path(name).suffix for name in one} >= {".parquet", ".h5", ".bundle", ".json"}
    bundles = [name for name in one if name.startswith("models/") and name.endswith(".bundle")]
    assert len(bundles) == len(NAMES) + 4  # stages, champion
    assert {name for name in one.keys() | other.keys() if one.get(name) != other.get(name)} == set()
