"""`collie ui` as people use it: the real daemon and server, asked as the UI's buttons ask."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from served_ui import HERE, Served, serving
from test_browser import ask
from test_new_files import write

from collie_pipeline.weeks import Week

pytestmark = pytest.mark.slow
FIRST_START = "No cursor for event type"  # the daemon warns of it once in a new DAGSTER_HOME
SETTINGS = {
    "source": "files",
    "window_weeks": 2,
    "models": {"names": "popularity"},
    "prepare": {"min_user_interactions": 1},
    "split": {"method": "random"},
    "evaluation": {"resamples": 100},
}
DRY_RUN = """mutation($at: ScheduleSelector!, $time: Float) {
  scheduleDryRun(selectorData: $at, timestamp: $time) {... on DryRunInstigationTick {
    evaluationResult {skipReason runRequests {runKey jobName tags {key value}}}}}}"""
BACKFILL = """mutation($of: LaunchBackfillParams!) {launchPartitionBackfill(backfillParams: $of) {
  __typename ... on LaunchBackfillSuccess {backfillId}}}"""
START = "mutation($of: SensorSelector!) {startSensor(sensorSelector: $of) {__typename}}"
WEEKS = """{assetNodeOrError(assetKey: {path: ["raw", "interactions"]}) {
  ... on AssetNode {partitionKeys}}}"""


@pytest.fixture(scope="module")
def weeks() -> list[Week]:
    """Three weeks that the source has, and the last one that is over, which it has not yet."""
    over = Week.of(datetime.now(UTC)).previous
    return [Week(over.monday - timedelta(weeks=back)) for back in (3, 2, 1, 0)]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, weeks: list[Week]) -> Iterator[Served]:
    home = tmp_path_factory.mktemp("daemon")
    for week in weeks[:-1]:
        write(home / "in", f"interactions-{week.key}.csv", [week])
    with serving(home, {**SETTINGS, "data_path": str(home / "in")}) as found:
        yield found


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
def seen(served: Served, weeks: list[Week]) -> Seen:
    """The schedule's tick of the first week, a back-fill of three, a new file and the sensor."""
    url = served.url
    keys = ask(url, WEEKS)["assetNodeOrError"]["partitionKeys"]
    tick = scheduled(url, weeks[0])
    served.launch(tick)
    first = served.finished(1)
    fill(url, [week.key for week in weeks[:-1]])
    filled = served.finished(4)
    write(served.home / "in", f"interactions-{weeks[-1].key}.csv", weeks[-1:])
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


def fill(url: str, keys: list[str]) -> None:
    """Back-fill weeks of the job `weekly`, as its page does."""
    selector = {"partitionSetName": "weekly_partition_set", "repositorySelector": HERE}
    said = ask(url, BACKFILL, of={"selector": selector, "partitionNames": keys})
    assert said["launchPartitionBackfill"]["__typename"] == "LaunchBackfillSuccess", said


def test_a_week_is_there_once_it_is_over_without_a_reload(seen: Seen) -> None:
    assert seen.week_is_there


def test_what_the_schedule_asks_for_runs(seen: Seen, weeks: list[Week]) -> None:
    (run,) = seen.scheduled
    assert (run["jobName"], run["week"]) == ("weekly", weeks[0].key)
    assert run["status"] == "SUCCESS"
    assert "is published already" in seen.skipped


def test_a_back_fill_is_one_run_a_week_the_oldest_first(seen: Seen, weeks: list[Week]) -> None:
    runs = sorted(seen.filled, key=lambda run: run["startTime"])
    assert [run["week"] for run in runs] == [week.key for week in weeks[:-1]]
    assert {(run["jobName"], run["status"]) for run in runs} == {("weekly", "SUCCESS")}
    assert len({run["tags"]["dagster/backfill"] for run in runs}) == 1
    for run, after in pairwise(runs):
        assert run["endTime"] <= after["startTime"], "one at a time"


def test_the_sensor_launches_the_week_whose_file_came(seen: Seen, weeks: list[Week]) -> None:
    (run,) = seen.sensed
    assert (run["jobName"], run["week"]) == ("weekly", weeks[-1].key)
    assert run["status"] == "SUCCESS"


def test_the_log_of_all_this_has_no_warning(seen: Seen) -> None:
    lines = [line for line in seen.log.splitlines() if FIRST_START not in line]
    assert lines
    assert not [line for line in lines if re.search("warn|deprecat|error", line, re.I)]
