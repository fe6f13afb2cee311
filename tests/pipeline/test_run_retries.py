"""Runs that do not end well under the real daemon: one is killed, and one has a broken model."""

import os
import re
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from served_ui import HERE, Served, serving, wait_for
from small_project import SMALL
from test_browser import ask

from collie_pipeline.storage import current

pytestmark = pytest.mark.slow
MODEL = "matrix_factorization"
WEEK = "2026-02-09"  # the newest of the demo
TRAINED = {"embedding_dim": 4, "epochs": 400, "patience": 400, "num_negative_samples": 3}
KILLED = {
    **SMALL,
    "window_weeks": 1,
    "prepare": {"min_user_interactions": 1},
    "models": {"names": f"popularity,{MODEL}", MODEL: TRAINED},
    "training": {"checkpoint_seconds": 0},
}
BROKEN = {**KILLED, "models": {"names": f"popularity,{MODEL}", MODEL: {"embedding_dim": 10**13}}}
MESSAGES = """query($id: ID!) {logsForRun(runId: $id) {... on EventConnection {events {
  ... on MessageEvent {message}}}}}"""
MADE = """{assetNodeOrError(assetKey: {path: ["models", "matrix_factorization"]}) {
  ... on AssetNode {
  assetMaterializations(limit: 1) {runId metadataEntries {label
    ... on IntMetadataEntry {intValue}}}}}}"""
POOL = """{instance {concurrencyLimit(concurrencyKey: "gpu") {
  claimedSlots {runId} pendingSteps {runId}}}}"""
DRY_RUN = """mutation($at: SensorSelector!) {sensorDryRun(selectorData: $at, cursor: null) {
  ... on DryRunInstigationTick {evaluationResult {skipReason runRequests {
    runKey jobName tags {key value}}}}}}"""
ASKED = {
    "runRequests": [
        {
            "jobName": "weekly",
            "runKey": "by hand",
            "tags": [{"key": "dagster/partition", "value": WEEK}],
        }
    ]
}


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("killed"), KILLED) as found:
        yield found


@dataclass(frozen=True)
class Retried:
    """The run that was killed and the one in its place, and the seconds from kill to end."""

    first: dict[str, Any]
    second: dict[str, Any]
    seconds: float


@pytest.fixture(scope="module")
def retried(killed: Served) -> Retried:
    """A run whose process is killed in the middle of a training, and all that follows."""
    killed.launch(ASKED)
    checkpoints = killed.home / "data" / "checkpoints" / MODEL
    wait_for(lambda: bool(list(checkpoints.glob(f"{WEEK}-*.ckpt"))), killed.log)
    os.kill(process_of(killed, killed.runs()[0]["runId"]), signal.SIGKILL)
    begun = time.monotonic()
    wait_for(lambda: len(killed.runs()) > 1 and killed.runs()[1]["endTime"], killed.log)
    first, second = killed.runs()
    return Retried(first, second, time.monotonic() - begun)


def process_of(served: Served, run_id: str) -> int:
    events = ask(served.url, MESSAGES, id=run_id)["logsForRun"]["events"]
    said = " ".join(event.get("message", "") for event in events)
    found = re.search(r"Executing steps in process \(pid: (\d+)\)", said)
    assert found is not None, said
    return int(found.group(1))


def test_the_daemon_runs_a_killed_run_again_and_it_succeeds(
    retried: Retried, killed: Served
) -> None:
    assert (retried.first["status"], retried.second["status"]) == ("FAILURE", "SUCCESS")
    assert retried.second["tags"]["dagster/parent_run_id"] == retried.first["runId"]
    assert retried.second["tags"]["dagster/retry_number"] == "1"
    assert len(killed.runs()) == 2
    serving = current(killed.home / "data")
    assert serving is not None
    assert serving.week == WEEK
    assert retried.seconds < 120, "the page of the pipeline says what it takes"


def test_its_training_goes_on_from_the_checkpoint(retried: Retried, killed: Served) -> None:
    (made,) = ask(killed.url, MADE)["assetNodeOrError"]["assetMaterializations"]
    known = {entry["label"]: entry.get("intValue") for entry in made["metadataEntries"]}
    assert made["runId"] == retried.second["runId"]
    assert 1 <= known["resumed_after_epoch"] < TRAINED["epochs"]


def test_the_killed_run_keeps_no_place_in_the_pool(retried: Retried, killed: Served) -> None:
    assert retried.second["status"] == "SUCCESS"
    assert ask(killed.url, POOL)["instance"]["concurrencyLimit"] == {
        "claimedSlots": [],
        "pendingSteps": [],
    }


def test_a_broken_model_is_left_out_by_the_run_that_the_next_tick_asks_for(
    tmp_path: Path,
) -> None:
    with serving(tmp_path, BROKEN) as broken:
        first = tick(broken)
        broken.launch(first)
        assert ended(broken, 1) == [("weekly", "FAILURE")]
        broken.launch(tick(broken))
        assert ended(broken, 3) == [
            ("weekly", "FAILURE"),
            ("weekly_without_failed", "SUCCESS"),
            ("weekly", "SUCCESS"),
        ]
        last = tick(broken)
    assert not last["runRequests"]
    assert f"is published without {MODEL}, until inputs change" in last["skipReason"]


def tick(served: Served) -> Any:
    """Return what the sensor that heals asks for."""
    at = {**HERE, "sensorName": "missing_weeks"}
    return ask(served.url, DRY_RUN, at=at)["sensorDryRun"]["evaluationResult"]


def ended(served: Served, count: int) -> list[tuple[str, str]]:
    """Return job and status of each run, the oldest first, once there are `count`, all ended."""
    wait_for(
        lambda: len(served.runs()) >= count and all(run["endTime"] for run in served.runs()),
        served.log,
    )
    return [(run["jobName"], run["status"]) for run in served.runs()]
