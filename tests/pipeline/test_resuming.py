"""A training that is killed and goes on: real processes, really killed."""

import hashlib
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import dagster as dg
import pytest
from multiprocess_training import MODEL

COLLIE = str(Path(sys.executable).with_name("collie"))
SETTINGS = """
window_weeks = 2
[demo]
users = 120
items = 80
ratings = 2400
weeks = 3
[models]
names = ["popularity", "matrix_factorization"]
[models.matrix_factorization]
embedding_dim = 4
epochs = 40
patience = 40
[evaluation]
resamples = 200
[training]
checkpoint_seconds = 0
"""
WEEK = "2026-01-19"
BUNDLE = Path("data", "demo", "models", MODEL, f"{WEEK}.bundle")
CHECKPOINTS = Path("data", "demo", "checkpoints", MODEL)


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def environment(home: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("COLLIE_")}
    return {**kept, "DAGSTER_HOME": str(home / "dagster_home"), "COLUMNS": "200"}


def collie(home: Path, *arguments: str) -> str:
    command = [COLLIE, *arguments]
    done = subprocess.run(
        command, cwd=home, env=environment(home), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


def checkpoints(home: Path) -> list[Path]:
    return list((home / CHECKPOINTS).glob(f"{WEEK}-*.ckpt"))


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which `collie run` has run, undisturbed."""
    home = tmp_path_factory.mktemp("resuming")
    (home / "collie.toml").write_text(SETTINGS)
    collie(home, "run")
    return home


@pytest.mark.slow
def test_a_killed_run_goes_on_in_the_epoch_after_its_checkpoint(home: Path) -> None:
    undisturbed = sha256(home / BUNDLE)
    assert not checkpoints(home), "they go when the bundle is there"
    (home / BUNDLE).unlink()
    process = subprocess.Popen(
        [COLLIE, "run", "--force"], cwd=home, env=environment(home), stdout=subprocess.DEVNULL
    )
    while not checkpoints(home) and process.poll() is None:
        time.sleep(0.002)
    process.kill()
    assert process.wait() == -signal.SIGKILL
    assert not (home / BUNDLE).exists()
    said = collie(home, "run", "--force")
    [line] = [line for line in said.splitlines() if f"models/{MODEL} " in line]
    assert 1 <= int(line.rpartition("resumed after epoch ")[2]) < 40
    assert sha256(home / BUNDLE) == undisturbed
    assert not [path for path in (home / CHECKPOINTS).rglob("*") if path.is_file()]


def step_processes() -> list[int]:
    """Return the processes that this one started for steps."""
    found = []
    for folder in Path("/proc").iterdir():
        try:
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            command = (folder / "cmdline").read_text()
        except (OSError, IndexError):  # no process, or one that has ended
            continue
        if parent == os.getpid() and "spawn_main" in command:
            found.append(int(folder.name))
    return found


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="processes are found in /proc")
def test_a_killed_step_is_tried_again_and_goes_on(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    undisturbed = sha256(home / BUNDLE)
    (home / BUNDLE).unlink()
    monkeypatch.chdir(home)
    monkeypatch.setenv("DAGSTER_HOME", str(home / "dagster_home"))
    over = threading.Event()

    def kill() -> None:
        while not checkpoints(home) and not over.wait(0.002):
            pass
        for process in step_processes():
            os.kill(process, signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    job = dg.build_reconstructable_job(
        "multiprocess_training", "job", reconstructor_working_directory=str(Path(__file__).parent)
    )
    with dg.DagsterInstance.get() as instance:
        result = dg.execute_job(
            job,
            instance=instance,
            tags={"dagster/partition": WEEK},
            run_config={"execution": {"config": {"start_method": {"spawn": {}}}}},
        )
    over.set()
    killer.join()
    assert result.success
    kinds = [event.event_type_value for event in result.all_events]
    assert kinds.count("STEP_UP_FOR_RETRY") == 1
    [made] = result.asset_materializations_for_node(f"models__{MODEL}")
    assert 1 <= int(str(made.metadata["resumed_after_epoch"].value)) < 40
    assert sha256(home / BUNDLE) == undisturbed


ORPHAN = """
import multiprocessing, os, signal, sys, time
from collie_pipeline.parents import end_with_parent

def step(tied):
    if tied:
        end_with_parent()
    print(os.getpid(), flush=True)
    time.sleep(60)

if __name__ == "__main__":
    multiprocessing.get_context("spawn").Process(target=step, args=(sys.argv[1] == "tied",)).start()
    time.sleep(60)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ties processes")
@pytest.mark.parametrize("tied", [True, False])
def test_a_step_ends_with_its_run(tmp_path: Path, tied: bool) -> None:
    script = tmp_path / "orphan.py"
    script.write_text(ORPHAN)
    command = [sys.executable, str(script), "tied" if tied else "free"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as run:
        assert run.stdout is not None
        step = int(run.stdout.readline())
        run.kill()
        run.wait()
        time.sleep(0.3)
        assert is_running(step) != tied
        if not tied:
            os.kill(step, signal.SIGKILL)


def is_running(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
