"""`collie ui` over a project of its own: the real daemon and the real server."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from test_browser import HOST, answers, ask, flat

REPOSITORY = Path(__file__).resolve().parents[2]
PATIENCE = 600.0
HERE = {"repositoryName": "__repository__", "repositoryLocationName": "collie_pipeline.definitions"}
RUNS = """{runsOrError{... on Runs{results{runId jobName status startTime endTime
  tags{key value}}}}}"""
LAUNCH = """mutation($all: [ExecutionParams!]!) {launchMultipleRuns(executionParamsList: $all) {
  ... on LaunchMultipleRunsResult {launchMultipleRunsResult {__typename}}}}"""


@dataclass(frozen=True)
class Served:
    """A project below `home`, and the server and the daemon over it."""

    url: str
    home: Path

    @property
    def log(self) -> Path:
        """What both print."""
        return self.home / "ui.log"

    def runs(self) -> list[dict[str, Any]]:
        """Return the runs, oldest first, with their week."""
        found = ask(self.url, RUNS)["runsOrError"]["results"][::-1]
        for run in found:
            tags = {tag["key"]: tag["value"] for tag in run["tags"]}
            run |= {"tags": tags, "week": tags.get("dagster/partition")}
        return found

    def launch(self, tick: Any) -> None:
        """Launch what a tick asks for, as the button `Launch all` does."""
        ask(self.url, LAUNCH, all=[_launched(each) for each in tick["runRequests"]])

    def finished(self, count: int) -> list[dict[str, Any]]:
        """Return the runs once there are `count` and all have ended."""
        wait_for(lambda: self._ended(count), self.log)
        return self.runs()

    def _ended(self, count: int) -> bool:
        runs = self.runs()
        assert not [run for run in runs if run["status"] == "FAILURE"], self.log.read_text()
        return len(runs) >= count and all(run["endTime"] for run in runs)


def _launched(request: Any) -> dict[str, Any]:
    selector = {**HERE, "jobName": request["jobName"] or "weekly"}
    tags = [{"key": each["key"], "value": each["value"]} for each in request["tags"]]
    key = {"key": "dagster/run_key", "value": request["runKey"]}
    return {
        "selector": selector,
        "mode": "default",
        "executionMetadata": {"tags": [*tags, key]},
    }


def wait_for(done: Callable[[], bool], log: Path) -> None:
    end = time.monotonic() + PATIENCE
    while not done():
        if time.monotonic() > end:
            pytest.fail(f"it does not come to an end:\n{log.read_text()}")
        time.sleep(0.5)


@contextmanager
def serving(home: Path, settings: dict[str, Any]) -> Iterator[Served]:
    """Serve the project of `settings` below `home` while the block lasts."""
    (home / "dagster_home").mkdir()
    configuration = (REPOSITORY / "dagster_home" / "dagster.yaml").read_text()
    (home / "dagster_home" / "dagster.yaml").write_text(configuration)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("COLLIE_")}
    places = {"DAGSTER_HOME": str(home / "dagster_home"), "HOME": str(home)}
    environment = {**kept, **flat({**settings, "root": str(home / "data")}), **places}
    with socket.socket() as chosen:
        chosen.bind((HOST, 0))
        port = str(chosen.getsockname()[1])
    command = [str(Path(sys.executable).with_name("collie")), "ui", "--port", port]
    found = Served(f"http://{HOST}:{port}", home)
    with found.log.open("w") as log:
        server = subprocess.Popen(
            command, cwd=home, env=environment, stdout=log, stderr=log, start_new_session=True
        )
        try:
            answers(found.url, server, found.log)
            yield found
        finally:
            stop(server)


def stop(server: "subprocess.Popen[bytes]") -> None:
    """End the server and all that it started, which may have learned to ignore an interrupt."""
    os.killpg(server.pid, signal.SIGTERM)
    try:
        server.wait(timeout=15)
    except subprocess.TimeoutExpired:
        os.killpg(server.pid, signal.SIGKILL)
        server.wait()
