"""kill -9 at every change that a writer makes to files: readers find the old or the new, whole."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

SWEEP = Path(__file__).with_name("kill_sweep.py")


def swept(every: int) -> list[dict[str, Any]]:
    """Return what each case of the sweep came to; see `kill_sweep`."""
    command = [sys.executable, str(SWEEP), str(every)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if "no process may be traced" in done.stderr:
        pytest.skip(done.stderr.strip())
    assert done.returncode == 0, done.stderr
    cases: list[dict[str, Any]] = [json.loads(line) for line in done.stdout.splitlines()]
    assert not any(case["failed"] for case in cases), (cases, done.stderr)
    return cases


def test_readers_find_a_whole_file_after_some_kills_and_a_rerun_completes() -> None:
    cases = swept(every=25)
    assert len(cases) == 12
    assert all(case["killed"] for case in cases)


@pytest.mark.slow
def test_readers_find_a_whole_file_after_two_hundred_kills_and_a_rerun_completes() -> None:
    cases = swept(every=2)  # benchmarks/kills.py leaves none out
    assert sum(case["killed"] for case in cases) >= 200
