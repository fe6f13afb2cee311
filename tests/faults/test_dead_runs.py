"""Runs whose process was killed, here or in a container: closed, and their slots freed."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
import pytest
from processes import kill, started, wait_for

from collie_pipeline.dead_runs import HOME, close_dead_runs

Status = dg.DagsterRunStatus
BEGIN = """
import sys, time, uuid
from contextlib import ExitStack
import dagster as dg
from collie_pipeline.dead_runs import living
@dg.asset
def model():
    pass
job = dg.Definitions([model], jobs=[dg.define_asset_job("weekly", "*")]).resolve_job_def("weekly")
with ExitStack() as stack:
    instance = stack.enter_context(dg.DagsterInstance.get())
    storage = instance.event_log_storage
    for status in sys.argv[1:]:
        run_id = str(uuid.uuid4())
        tags = {**stack.enter_context(living(instance, run_id)), "began as": status}
        instance.create_run_for_job(
            job, run_id=run_id, status=dg.DagsterRunStatus[status], tags=tags
        )
        storage.set_concurrency_slots(status, 1)
        storage.claim_concurrency_slot(status, run_id, "model")
    print("lives", flush=True)
    time.sleep(60)
"""
TRAIN = """
import os, time, uuid
import dagster as dg
from collie_pipeline.dead_runs import living
@dg.asset(pool="gpu")
def model():
    print("trains as", os.getpid(), flush=True)
    time.sleep(60)
run_id = str(uuid.uuid4())
job = dg.Definitions([model], jobs=[dg.define_asset_job("weekly", "*")]).resolve_job_def("weekly")
with dg.DagsterInstance.get() as instance, living(instance, run_id) as tags:
    instance.event_log_storage.set_concurrency_slots("gpu", 1)
    job.execute_in_process(instance=instance, run_id=run_id, tags=tags)
"""
CLOSE = """
import os
import dagster as dg
from collie_pipeline.dead_runs import close_dead_runs
assert os.getpid() == 1
with dg.DagsterInstance.get() as instance:
    close_dead_runs(instance)
"""
END = {
    "NOT_STARTED": Status.FAILURE,
    "STARTING": Status.FAILURE,
    "STARTED": Status.FAILURE,
    "CANCELING": Status.CANCELED,
    "FAILURE": Status.FAILURE,
    "SUCCESS": Status.SUCCESS,
}


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    (tmp_path / "dagster_home").mkdir()
    (tmp_path / "dagster_home" / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    with dg.DagsterInstance.get() as opened:
        yield opened


def statuses(instance: dg.DagsterInstance) -> dict[str, Status]:
    return {run.tags["began as"]: run.status for run in instance.get_runs()}


def taken(instance: dg.DagsterInstance, pool: str) -> int:
    return instance.event_log_storage.get_concurrency_info(pool).active_slot_count


def test_dead_runs_of_every_status_are_closed_and_their_slots_freed_and_living_ones_left(
    instance: dg.DagsterInstance,
) -> None:
    process = started(BEGIN, *END)
    wait_for(process, "lives")
    close_dead_runs(instance)
    assert statuses(instance) == {name: Status[name] for name in END}
    assert [taken(instance, name) for name in END] == [1] * len(END)
    kill(process)
    close_dead_runs(instance)
    assert statuses(instance) == END
    assert [taken(instance, name) for name in END] == [0] * len(END)
    assert list(Path(instance.root_directory).glob(".runs/*.run")) == []


def test_what_is_not_known_to_be_dead_is_left(instance: dg.DagsterInstance) -> None:
    process = started(BEGIN, "SUCCESS")
    wait_for(process, "lives")
    kill(process)
    job = dg.Definitions(jobs=[dg.define_asset_job("weekly", "*")]).resolve_job_def("weekly")
    for tags in ({}, {HOME: "another"}):
        instance.create_run_for_job(job, status=Status.STARTED, tags=tags)
    close_dead_runs(instance)
    found = [run.status for run in instance.get_runs()]
    assert found == [Status.STARTED, Status.STARTED, Status.SUCCESS]


@contextmanager
def container(host: str, code: str) -> Iterator["subprocess.Popen[str]"]:
    """Start `code` as the process 1 of a host of its own, with our files."""
    within = ("unshare", "-r", "--pid", "--fork", "--kill-child", "--uts", "--mount-proc")
    process = started(code, within=(*within, "sh", "-c", f'hostname {host}; exec "$@"', "sh"))
    try:
        yield process
    finally:
        kill(process)


@pytest.mark.slow
def test_a_restarted_container_closes_the_run_of_the_one_before(
    instance: dg.DagsterInstance,
) -> None:
    if subprocess.run(["unshare", "-rpuf", "true"], check=False, capture_output=True).returncode:
        pytest.skip("no process may have a host of its own here")
    with container("one", TRAIN) as process:
        wait_for(process, "trains as 1")
        with container("two", CLOSE) as beside:
            assert beside.wait() == 0
        assert [run.status for run in instance.get_runs()] == [Status.STARTED], "it lives"
        assert taken(instance, "gpu") == 1
    for host in ("one", "three"):  # as it was called, and as another
        with container(host, CLOSE) as after:
            assert after.wait() == 0
    assert [run.status for run in instance.get_runs()] == [Status.FAILURE]
    assert taken(instance, "gpu") == 0
