"""Python processes that tests start, wait for and kill."""

import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent


def started(code: str, *arguments: object, within: tuple[str, ...] = ()) -> "subprocess.Popen[str]":
    """Start Python with `code`, by the command `within` if there is one."""
    path = os.pathsep.join([str(HERE), *filter(None, [os.environ.get("PYTHONPATH")])])
    return subprocess.Popen(
        [*within, sys.executable, "-c", code, *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": path},
        stdout=subprocess.PIPE,
        text=True,
    )


def wait_for(process: "subprocess.Popen[str]", word: str) -> None:
    """Wait for a line that is `word`."""
    assert process.stdout is not None
    assert any(line.strip() == word for line in process.stdout)


def kill(process: "subprocess.Popen[str]") -> None:
    """Kill `process`, and wait for its end."""
    with process:
        process.kill()
