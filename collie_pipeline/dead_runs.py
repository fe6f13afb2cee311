"""Runs of commands whose process is gone: nobody else would close them.

A run lives as long as the process that executes it holds the lock on a file of the run's own in
DAGSTER_HOME; the kernel takes it back however the process ends. A process number or a host's name
would not tell: a restarted container has those of the one before, or others on the same volume.
"""

import uuid
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import dagster as dg

from collie_core.files import replacing
from collie_pipeline.storage.locks import is_held, locked

HOME = "collie/home"
FOLDER, LOCK, NAME, SUFFIX = ".runs", ".lock", "name", ".run"
UNFINISHED = [
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]


@contextmanager
def living(instance: dg.DagsterInstance, run_id: str) -> Iterator[dict[str, str]]:
    """Let the run `run_id` live while the block lasts, and give the tags it has to be made with."""
    folder = _folder(instance)
    path = _lock_of(folder, run_id)
    with ExitStack() as stack:
        with locked(folder / LOCK):  # so that nobody removes the file before it is held
            if not (folder / NAME).exists():
                with replacing(folder / NAME) as temporary:
                    temporary.write_text(uuid.uuid4().hex)
            stack.enter_context(locked(path))
            stack.callback(path.unlink, missing_ok=True)
        yield {HOME: (folder / NAME).read_text()}


def close_dead_runs(instance: dg.DagsterInstance) -> None:
    """Free the slots of this DAGSTER_HOME's runs whose process is gone, and close the runs.

    Runs that another DAGSTER_HOME began in the same database are left: nothing here tells whether
    they live. So are runs of the UI, which are the daemon's.
    """
    folder = _folder(instance)
    if not (folder / NAME).exists():
        return
    ours = {HOME: (folder / NAME).read_text()}
    _remove_files_of_the_dead(folder)
    unfinished = instance.get_runs(dg.RunsFilter(statuses=UNFINISHED, tags=ours))
    for run in [*unfinished, *_holding_slots(instance, ours)]:
        if not _lives(folder, run.run_id):
            # The slots first: a run that is closed already is looked for only by the slots it has.
            instance.event_log_storage.free_concurrency_slots_for_run(run.run_id)
            _close(instance, run.run_id)


def _folder(instance: dg.DagsterInstance) -> Path:
    return Path(instance.root_directory, FOLDER)


def _lock_of(folder: Path, run_id: str) -> Path:
    return folder / f"{run_id}{SUFFIX}"


def _lives(folder: Path, run_id: str) -> bool:
    """Return whether the run's process lives; its file is there from before the run to its end."""
    path = _lock_of(folder, run_id)
    return path.exists() and is_held(path)


def _holding_slots(instance: dg.DagsterInstance, tags: dict[str, str]) -> Sequence[dg.DagsterRun]:
    """Return the runs with `tags` that have, or wait for, a slot of a pool, finished or not."""
    run_ids = sorted(instance.event_log_storage.get_concurrency_run_ids())
    return instance.get_runs(dg.RunsFilter(run_ids=run_ids, tags=tags)) if run_ids else []


def _close(instance: dg.DagsterInstance, run_id: str) -> None:
    run = instance.get_run_by_id(run_id)  # anew, as it may have ended since
    if run is None or run.is_finished:
        return
    if run.status is dg.DagsterRunStatus.CANCELING:
        instance.report_run_canceled(run, "its process is gone")
    else:
        instance.report_run_failed(run, "its process is gone")


def _remove_files_of_the_dead(folder: Path) -> None:
    with locked(folder / LOCK):
        for path in folder.glob(f"*{SUFFIX}"):
            if not is_held(path):
                path.unlink()
