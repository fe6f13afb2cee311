"""No room, or no permission: one clear error, what was there stays, and a rerun completes."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from full_disk import WITHOUT_ROOM
from writers import WRITERS

RUN = Path(__file__).with_name("full_run.py")
SCRIPT = Path(__file__).with_name("full_disk.py")
MOUNT = 'mount -t tmpfs -o size=3m none "$1" && shift && exec "$@"'


def tried(kind: str, folder: Path, *before: str) -> list[dict[str, str]]:
    """Return what each writer came to; see `full_disk`."""
    command = [*before, sys.executable, str(SCRIPT), kind, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if before and ("unshare:" in done.stderr or "mount:" in done.stderr):
        pytest.skip(f"no file system can be mounted here: {done.stderr.strip()}")
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert all("said" in line for line in lines[1::3]), (lines, done.stderr)
    cases = [{**a, **b, **c} for a, b, c in zip(*[iter(lines)] * 3, strict=True)]
    for case in cases:
        assert (case["fault"], case["tried"], case["after"]) == (None, "exit 0", "exit 0"), (
            case,
            done.stderr,
        )
    return cases


def refused(cases: list[dict[str, str]], words: str) -> set[str]:
    """Return the writers that were refused with `words`, of those that were tried."""
    return {case["case"].split()[0] for case in cases if words in case["said"]}


ALL = {*WRITERS} - WITHOUT_ROOM


@pytest.mark.slow
def test_a_full_disk_is_one_error_that_names_the_file_and_loses_nothing(tmp_path: Path) -> None:
    cases = tried("space", tmp_path, "unshare", "-rm", "sh", "-c", MOUNT, "sh", str(tmp_path))
    assert refused(cases, "No space left on device: '") == ALL


@pytest.mark.slow
def test_a_file_that_may_not_grow_is_one_error_and_loses_nothing(tmp_path: Path) -> None:
    assert refused(tried("size", tmp_path), "File too large: '") == ALL


@pytest.mark.slow
def test_what_may_not_be_written_is_one_error_and_loses_nothing(tmp_path: Path) -> None:
    for above in (tmp_path, *tmp_path.parents):
        if above.stat().st_mode & 0o005 != 0o005:
            above.chmod(above.stat().st_mode | 0o005)  # pytest's own folders, for another user
    assert refused(tried("denied", tmp_path), "Permission denied: '") == ALL


UNRECORDED = r"UnrecordedError: DAGSTER_HOME {home} .*: make room there"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("size", "home", "named"),
    [
        ("100k", "small/dagster_home", UNRECORDED),
        ("250k", "home", r"No space left on device: '.*/data/demo/.*': make room there"),
    ],
)
def test_a_run_on_a_full_disk_says_what_is_full_and_the_next_completes(
    tmp_path: Path, size: str, home: str, named: str
) -> None:
    (folder := tmp_path / "small").mkdir()
    place = str(tmp_path / home)
    command = ["unshare", "-rm", sys.executable, str(RUN), str(folder), size, place]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if "unshare:" in done.stderr or "mount:" in done.stderr:
        pytest.skip(f"no file system can be mounted here: {done.stderr.strip()}")
    full, roomy = map(json.loads, done.stdout.splitlines())
    assert full["code"] == 1, full
    assert re.search(named.format(home=place), full["err"]), full["err"]
    assert len(full["err"].splitlines()) == 1, full["err"]
    assert roomy["code"] == 0, roomy
    assert "Published tables" in roomy["out"]
