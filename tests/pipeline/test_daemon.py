"""`collie ui` as people use it: the real daemon and server, asked as the UI's buttons ask."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from test_browser import HOST, answers, ask, flat
from test_new_files import write

from collie_pipeline.weeks import Week

pytestmark = pytest.mark.slow
REPOSITORY = Path(__file__).resolve().parents[2]
PATIENCE = 600.0
HERE = {"repositoryName": "__repository__", "repositoryLocationName": "collie_pipeline.definitions"}
FIRST_START = "No cursor for event type"  # the daemon warns of it once in a new DAGSTER_HOME
SETTINGS = {
    "source": "files",
    "window_weeks": 2,
    "models": {"names": "popularity"},
    "prepare": {"min_user_interactions": 1},
    "split": {"method": "random"},
    "evaluation": {"resamples": 100},
}
RUNS = """{runsOrError{... on Runs{results{runId jobName status startTime endTime
  tags{key value}}}}}"""
DRY_RUN = """mutation($at: ScheduleSelector!, $time: Float) {
  scheduleDryRun(selectorData: $at, timestamp: $time) {... on DryRunInstigationTick {
    evaluationResult {skipReason runRequests {runKey jobName tags {key value}}}}}}"""
LAUNCH = """mutation($all: [ExecutionParams!]!) {launchMultipleRuns(executionParamsList: $all) {
  ... on LaunchMultipleRunsResult {launchMultipleRunsResult {__typename}}}}"""
BACKFILL = """mutation($of: LaunchBackfillParams!) {launchPartitionBackfill(backfillParams: $of) {
  __typename ... on LaunchBackfillSuccess {backfillId}}}"""
START = "mutation($of: SensorSelector!) {startSensor(sensorSelector: $of) {__typename}}"
WEEKS = """{assetNodeOrError(assetKey: {path: ["raw", "interactions"]}) {
  ... on AssetNode {partitionKeys}}}"""


@dataclass(frozen=True)
class Served:
    """Weeks in files, and the server and the daemon over them."""

    url: str
    folder: Path
    weeks: list[Week]
    log: Path

    def runs(self) -> list[dict[str, Any]]:
        """Return the runs, oldest first, with their week."""
        found = ask(self.url, RUNS)["runsOrError"]["results"][::-1]
        for run in found:
            tags = {tag["key"]: tag["value"] for tag in run["tags"]}
            run |= {"week": tags.get("dagster/partition"), "backfill": tags.get("dagster/backfill")}
        return found

    def finished(self, count: int) -> list[dict[str, Any]]:
        """Return the runs once there are `count` and all have ended."""
        wait_for(lambda: self._ended(count), self.log)
        return self.runs()

    def _ended(self, count: int) -> bool:
        runs = self.runs()
        assert not [run for run in runs if run["status"] == "FAILURE"], self.log.read_text()
        return len(runs) >= count and all(run["endTime"] for run in runs)


def wait_for(done: Callable[[], bool], log: Path) -> None:
    end = time.monotonic() + PATIENCE
    while not done():
        if time.monotonic() > end:
            pytest.fail(f"it does not come to an end:\n{log.read_text()}")
        time.sleep(0.5)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A source that has three weeks and not yet the last one that is over."""
    home = tmp_path_factory.mktemp("daemon")
    (home / "dagster_home").mkdir()
    configuration = (REPOSITORY / "dagster_home" / "dagster.yaml").read_text()
    (home / "dagster_home" / "dagster.yaml").write_text(configuration)
    over = Week.of(datetime.now(UTC)).previous
    weeks = [Week(over.monday - timedelta(weeks=back)) for back in (3, 2, 1, 0)]
    for week in weeks[:-1]:
        write(home / "in", f"interactions-{week.key}.csv", [week])
    kept = {name: value for name, value in os.environ.items() if not name.startswith("COLLIE_")}
    own = {"COLLIE_ROOT": str(home / "data"), "COLLIE_DATA_PATH": str(home / "in")}
    places = {"DAGSTER_HOME": str(home / "dagster_home"), "HOME": str(home)}
    with socket.socket() as chosen:
        chosen.bind((HOST, 0))
        port = str(chosen.getsockname()[1])
    command = [str(Path(sys.executable).with_name("collie")), "ui", "--port", port]
    environment = {**kept, **flat(SETTINGS), **own, **places}
    with (home / "ui.log").open("w") as log:
        server = subprocess.Popen(
            command, cwd=home, env=environment, stdout=log, stderr=log, start_new_session=True
        )
        try:
            answers(f"http://{HOST}:{port}", server, home / "ui.log")
            yield Served(f"http://{HOST}:{port}", home / "in", weeks, home / "ui.log")
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


@dataclass(frozen=True)
class Seen:
    """What came of it, step by step."""

    week_is_there: bool
    scheduled: list[dict[str, Any]]
    filled: list[dict[str, Any]]
    sensed: list[dict[str, Any]]
    skipped: str
    log: str


@pytest.fixture(scope="module")
def seen(served: Served) -> Seen:
    """The schedule's tick of the first week, a back-fill of three, a new file and the sensor."""
    url, weeks = served.url, served.weeks
    keys = ask(url, WEEKS)["assetNodeOrError"]["partitionKeys"]
    tick = scheduled(url, weeks[0])
    ask(url, LAUNCH, all=[as_launched(each) for each in tick["runRequests"]])
    first = served.finished(1)
    fill(url, [week.key for week in weeks[:-1]])
    filled = served.finished(4)
    write(served.folder, f"interactions-{weeks[-1].key}.csv", weeks[-1:])
    ask(url, START, of={**HERE, "sensorName": "missing_weeks"})
    sensed = served.finished(5)
    skipped = scheduled(url, weeks[-1])["skipReason"]
    there = weeks[-1].key in keys
    return Seen(there, first, filled[1:], sensed[4:], skipped, served.log.read_text())


def scheduled(url: str, week: Week) -> Any:
    """Return what the schedule asks for on the Monday after `week`."""
    moment = (week.end + timedelta(hours=6)).timestamp()
    at = {**HERE, "scheduleName": "weekly_schedule"}
    return ask(url, DRY_RUN, at=at, time=moment)["scheduleDryRun"]["evaluationResult"]


def as_launched(request: Any) -> dict[str, Any]:
    """Return what the button `Launch all` of a tick sends."""
    selector = {**HERE, "jobName": request["jobName"] or "weekly"}
    metadata = {"tags": [{"key": each["key"], "value": each["value"]} for each in request["tags"]]}
    return {"selector": selector, "mode": "default", "executionMetadata": metadata}


def fill(url: str, keys: list[str]) -> None:
    """Back-fill weeks of the job `weekly`, as its page does."""
    selector = {"partitionSetName": "weekly_partition_set", "repositorySelector": HERE}
    said = ask(url, BACKFILL, of={"selector": selector, "partitionNames": keys})
    assert said["launchPartitionBackfill"]["__typename"] == "LaunchBackfillSuccess", said


def test_a_week_is_there_once_it_is_over_without_a_reload(seen: Seen) -> None:
    assert seen.week_is_there


def test_what_the_schedule_asks_for_runs(seen: Seen, served: Served) -> None:
    (run,) = seen.scheduled
    assert (run["jobName"], run["week"]) == ("weekly", served.weeks[0].key)
    assert run["status"] == "SUCCESS"
    assert "is published already" in seen.skipped


def test_a_back_fill_is_one_run_a_week_the_oldest_first(seen: Seen, served: Served) -> None:
    runs = sorted(seen.filled, key=lambda run: run["startTime"])
    assert [run["week"] for run in runs] == [week.key for week in served.weeks[:-1]]
    assert {(run["jobName"], run["status"]) for run in runs} == {("weekly", "SUCCESS")}
    assert len({run["backfill"] for run in runs}) == 1
    for run, after in pairwise(runs):
        assert run["endTime"] <= after["startTime"], "one at a time"


def test_the_sensor_launches_the_week_whose_file_came(seen: Seen, served: Served) -> None:
    (run,) = seen.sensed
    assert (run["jobName"], run["week"]) == ("weekly", served.weeks[-1].key)
    assert run["status"] == "SUCCESS"


def test_the_log_of_all_this_has_no_warning(seen: Seen) -> None:
    lines = [line for line in seen.log.splitlines() if FIRST_START not in line]
    assert lines
    assert not [line for line in lines if re.search("warn|deprecat|error", line, re.I)]
