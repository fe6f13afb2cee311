"""Runs of a command whose process was killed: nobody else would close them."""

import os
import socket

import dagster as dg

HOST, PID = "collie/host", "collie/pid"


def own_tags() -> dict[str, str]:
    """Return the tags that name this process as the one a run lives in."""
    return {PID: str(os.getpid()), HOST: socket.gethostname()}


def close_dead_runs(instance: dg.DagsterInstance) -> None:
    """Mark the runs of this machine whose process is gone as failed, and free their slots."""
    filters = dg.RunsFilter(
        statuses=[dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.STARTING],
        tags={HOST: socket.gethostname()},
    )
    for run in instance.get_runs(filters):
        if not _is_alive(int(run.tags[PID])):
            instance.report_run_failed(run, "its process is gone")
            instance.event_log_storage.free_concurrency_slots_for_run(run.run_id)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)  # sends nothing
    except ProcessLookupError:
        return False
    except PermissionError:  # it is somebody else's
        return True
    return True
