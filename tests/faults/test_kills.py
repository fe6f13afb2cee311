"""kill -9 at every change that a writer makes to files: readers find the old or the new, whole."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tracing import UNTRACED

SWEEP = Path(__file__).with_name("kill_sweep.py")
FORBID = """
import ctypes, os, platform, sys
class Filter(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("code", ctypes.c_void_p)]
ptrace = {"x86_64": 101, "aarch64": 117}[platform.machine()]
steps = [(0x20, 0, 0, 0), (0x15, 0, 1, ptrace), (0x06, 0, 0, 0x50001), (0x06, 0, 0, 0x7FFF0000)]
code = b"".join(
    code.to_bytes(2, "little") + bytes([yes, no]) + value.to_bytes(4, "little")
    for code, yes, no, value in steps
)
prctl = ctypes.CDLL(None).prctl
held = ctypes.create_string_buffer(code, len(code))
filtered = Filter(len(steps), ctypes.cast(held, ctypes.c_void_p))
assert prctl(38, 1, 0, 0, 0) == 0  # no new rights
assert prctl(22, 2, ctypes.byref(filtered)) == 0  # the kernel answers ptrace with an error
os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
"""
SKIPPED = "SKIP_KILLS"  # that nothing was killed is not to look as if all had gone well


def swept(every: int, *before: str) -> list[dict[str, Any]]:
    """Return what each case of the sweep came to; see `kill_sweep`."""
    command = [sys.executable, *before, str(SWEEP), str(every)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if UNTRACED in done.stderr and os.environ.get(SKIPPED):
        pytest.skip(done.stderr.strip())
    assert done.returncode == 0, done.stderr
    cases: list[dict[str, Any]] = [json.loads(line) for line in done.stdout.splitlines()]
    assert not any(case["failed"] for case in cases), (cases, done.stderr)
    return cases


@pytest.mark.slow
def test_where_nothing_can_be_killed_the_tests_fail_unless_that_is_allowed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(AssertionError, match="SKIP_KILLS=1"):
        swept(25, "-c", FORBID)
    monkeypatch.setenv(SKIPPED, "1")
    with pytest.raises(pytest.skip.Exception):
        swept(25, "-c", FORBID)


def test_readers_find_a_whole_file_after_some_kills_and_a_rerun_completes() -> None:
    cases = swept(every=100)
    assert len(cases) == 20
    assert all(case["killed"] for case in cases)


@pytest.mark.slow
def test_readers_find_a_whole_file_after_two_hundred_kills_and_a_rerun_completes() -> None:
    cases = swept(every=5)  # benchmarks/kills.py leaves none out
    assert sum(case["killed"] for case in cases) >= 200
