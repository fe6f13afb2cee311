"""What is kept of old publications, and what is collected of dead processes."""

import fcntl
import os
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest

from collie_pipeline.storage import (
    Publication,
    collect,
    current,
    prune,
    publications,
    publish,
    rollback,
    serving_before,
)
from collie_pipeline.storage.locks import is_held, locked
from collie_pipeline.storage.staging import SILENT_SECONDS, staging

TABLES = {name: pd.DataFrame({"user_id": ["a"], "rank": [1]}) for name in ("users", "items", "new")}
LATER = datetime.now(UTC) + timedelta(days=400)


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    path = tmp_path / "model.bundle"
    path.write_bytes(b"weights")
    return path


def weeks(bundle: Path, count: int) -> list[Publication]:
    made = []
    for number in range(count):
        week = f"2026-{number + 1:02}-05"
        parent = serving_before(bundle.parent, week)
        about = {"week": week, "parent": parent and {"id": parent.id}}
        made.append(publish(bundle.parent, TABLES, bundle, about))
        age_by_days(made[-1], 100 - number)
    return made


def age_by_days(publication: Publication, days: float) -> None:
    then = time.time() - days * 86_400
    os.utime(publication.path / "manifest.json", (then, then))


def test_only_what_is_both_old_and_outnumbered_goes(tmp_path: Path, bundle: Path) -> None:
    made = weeks(bundle, 6)
    assert prune(tmp_path, keep=2, keep_days=500, now=LATER) == []
    assert prune(tmp_path, keep=6, keep_days=1, now=LATER) == []
    assert prune(tmp_path, keep=2, keep_days=1, now=LATER) == [each.id for each in made[:3]]
    assert publications(tmp_path) == made[3:]  # two, and the parent of the older


def test_what_just_ceased_to_serve_stays_however_old_it_is(tmp_path: Path, bundle: Path) -> None:
    first, *_ = weeks(bundle, 1)
    reader = current(tmp_path)
    assert reader is not None
    weeks(bundle, 4)
    prune(tmp_path, keep=1, keep_days=1)
    assert all(len(reader.read(name)) for name in TABLES)
    assert first in publications(tmp_path)


def test_what_serves_after_a_rollback_stays_with_its_parent(tmp_path: Path, bundle: Path) -> None:
    made = weeks(bundle, 5)
    rollback(tmp_path, made[1].id)
    prune(tmp_path, keep=1, keep_days=0, now=LATER)
    assert {each.id for each in publications(tmp_path)} >= {made[0].id, made[1].id}
    assert current(tmp_path) == made[1]


def test_a_clock_that_goes_backwards_removes_nothing(tmp_path: Path, bundle: Path) -> None:
    weeks(bundle, 5)
    assert prune(tmp_path, keep=1, keep_days=0, now=datetime(2001, 1, 1, tzinfo=UTC)) == []


def test_nothing_goes_while_what_serves_is_damaged(tmp_path: Path, bundle: Path) -> None:
    made = weeks(bundle, 5)
    made[-1].table("new").unlink()
    assert prune(tmp_path, keep=1, keep_days=0, now=LATER) == []


def test_a_week_whose_parent_is_gone_takes_an_earlier_one(tmp_path: Path, bundle: Path) -> None:
    made = weeks(bundle, 3)
    made[1].path.rename(tmp_path / "gone")
    assert serving_before(tmp_path, made[2].week) == made[0]


HOLD = """
import sys, time
from pathlib import Path
from collie_pipeline.storage.staging import staging
with staging(Path(sys.argv[1])) as folder:
    (folder / "half.parquet").write_bytes(b"PAR1")
    print(folder, flush=True)
    time.sleep(60)
"""


def test_a_dead_process_is_collected_and_a_living_one_is_not(tmp_path: Path, bundle: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        folder = Path(process.stdout.readline().strip())
        publish(tmp_path, TABLES, bundle, {"week": "2026-01-05"})
        assert (folder / "half.parquet").exists()
        process.kill()
        process.wait()
    assert collect(tmp_path)
    assert sorted(path.name for path in folder.parent.iterdir() if path.name[0] == ".") == [".lock"]


def test_temporary_files_elsewhere_are_garbage_after_a_silent_day(tmp_path: Path) -> None:
    folder = tmp_path / "prepared" / "clean"
    old, new = folder / ".x.parquet.1.tmp", folder / ".y.parquet.2.tmp"
    scratch = tmp_path / ".split.abc.tmp"
    scratch.mkdir()
    folder.mkdir(parents=True)
    for path in (old, new, scratch / "train.h5", tmp_path / "notes.tmp", folder / "x.old"):
        path.write_text("half")
    then = time.time() - SILENT_SECONDS - 60
    for path in (old, scratch, tmp_path / "notes.tmp", folder / "x.old"):
        os.utime(path, (then, then))
    assert collect(tmp_path) == [old]  # something in the scratch folder was written just now
    os.utime(scratch / "train.h5", (then, then))
    assert collect(tmp_path) == [scratch]
    assert new.exists()


WRITE = """
import os, sys, time
from pathlib import Path
from collie_pipeline.storage import recording
root, then = Path(sys.argv[1]), float(sys.argv[2])
with recording(root / "prepared" / "clean" / "2026-01-05.parquet") as temporary:
    temporary.write_bytes(b"PAR1")
    os.utime(temporary, (then, then))
    print(temporary, flush=True)
    sys.stdin.readline()
    with temporary.open("ab") as file:
        file.write(b"PAR1")
"""
EXPORT = """
import os, sys
from pathlib import Path
from collie_pipeline.exports.exporting import _alone
root, then = Path(sys.argv[1]), float(sys.argv[2])
with _alone(root):
    staged = root / "exports" / "vectors" / ".x.tmp"
    staged.mkdir(parents=True)
    os.utime(staged, (then, then))
    print(staged, flush=True)
    sys.stdin.readline()
    staged.rename(staged.with_name("x"))
"""


@pytest.mark.parametrize("code", [WRITE, EXPORT], ids=["a file", "an export"])
@pytest.mark.parametrize("ends", ["killed", "well"])
def test_the_clock_may_go_two_days_forward_while_something_is_written(
    tmp_path: Path, code: str, ends: str
) -> None:
    stepped = str(time.time() - 2 * SILENT_SECONDS)  # to the writer it is two days earlier
    command = [sys.executable, "-c", code, str(tmp_path), stepped]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        staged = Path(process.stdout.readline().strip())
        assert collect(tmp_path) == []
        if ends == "killed":
            process.kill()
        else:
            process.communicate("go on\n")
    assert collect(tmp_path) == ([staged] if ends == "killed" else [])
    assert process.returncode == (-9 if ends == "killed" else 0)


def test_checkpoints_are_no_garbage_of_runs(tmp_path: Path) -> None:
    half = tmp_path / "checkpoints" / "ease" / ".2026-01-05.ckpt.1.tmp"
    half.parent.mkdir(parents=True)
    half.touch()
    os.utime(half, (0, 0))
    assert collect(tmp_path) == []


def test_a_lock_is_waited_for_and_that_is_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    script = "from collie_pipeline.storage.locks import locked; import pathlib, sys, time\n"
    script += "with locked(pathlib.Path(sys.argv[1])): print('mine', flush=True); time.sleep(0.5)"
    lock = tmp_path / "deep" / ".lock"
    command = [sys.executable, "-c", script, str(lock)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert is_held(lock)
        with locked(lock):
            assert process.wait() == 0
    assert f"holds {lock}: waiting" in caplog.text
    assert not is_held(lock)


def test_a_file_system_without_locks_is_an_error_that_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: int, operation: int) -> None:
        if operation != fcntl.LOCK_UN:
            raise OSError(37, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    with (
        pytest.raises(OSError, match=r"cannot be locked \(No locks available\): keep this folder"),
        locked(tmp_path / ".lock"),
    ):
        pass


def test_a_staged_folder_that_fails_leaves_nothing(tmp_path: Path) -> None:
    def fail() -> None:
        with staging(tmp_path) as folder:
            (folder / "half").write_text("")
            raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        fail()
    assert [path.name for path in (tmp_path / "publications").iterdir()] == [".lock"]
