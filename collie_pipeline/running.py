"""Running weeks in this process, with a line for every asset as it comes to be."""

import os
import socket
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import dagster as dg
from rich.console import Console
from rich.status import Status

from collie_pipeline.definitions import make_definitions
from collie_pipeline.project import Project
from collie_pipeline.storage import Publication, publications
from collie_pipeline.weeks import Week

HOST, PID = "collie/host", "collie/pid"
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


class RunError(Exception):
    """A run did not succeed; the message says which asset or check, and why."""


def dagster_home() -> Path:
    """Set DAGSTER_HOME to an absolute folder, and return it.

    Without one it is `dagster_home` here, or `dagster_home/postgres` where COLLIE_DAGSTER_PG_URL
    names a database. A home without a configuration gets one that sends nothing anywhere.
    """
    default = "dagster_home/postgres" if os.environ.get("COLLIE_DAGSTER_PG_URL") else "dagster_home"
    home = Path(os.environ.get("DAGSTER_HOME") or default).expanduser().resolve()
    home.mkdir(parents=True, exist_ok=True)
    if not (home / "dagster.yaml").exists():
        (home / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    os.environ["DAGSTER_HOME"] = str(home)
    return home


def published(project: Project, week: Week) -> Publication | None:
    """Return the whole publication of `week` made from the very same inputs, or None."""
    inputs = project.fingerprint(week)
    for each in publications(project.root):
        if (each.week, each.manifest["inputs"]) == (week.key, inputs) and each.is_whole():
            return each
    return None


def run_week(project: Project, week: Week, console: Console) -> None:
    """Make everything for `week`, after the rows of its window that are missing, oldest first.

    Raises
    ------
    RunError
        If an asset or a blocking check fails.
    """
    dagster_home()
    definitions = make_definitions(project)
    with dg.DagsterInstance.get() as instance:
        close_dead_runs(instance)
        missing = [
            each for each in project.window(week)[:-1] if not is_ingested(instance, project, each)
        ]
        for each in missing:
            _execute(definitions, "ingest", each, instance, console, ("prepared/clean",))
        _execute(definitions, "weekly", week, instance, console)


def is_ingested(instance: dg.DagsterInstance, project: Project, week: Week) -> bool:
    """Return whether the clean rows of `week` are on disk, and made from what the source has."""
    if not Path(project.root, "prepared", "clean", f"{week.key}.parquet").exists():
        return False
    chosen = dg.AssetRecordsFilter(
        asset_key=dg.AssetKey(["raw", "interactions"]), asset_partitions=[week.key]
    )
    records = instance.fetch_materializations(chosen, limit=1).records
    if not records or (made := records[0].asset_materialization) is None:
        return False
    known = made.metadata.get("fingerprint")
    return known is not None and known.value == project.ingest_fingerprint(week)


def close_dead_runs(instance: dg.DagsterInstance) -> None:
    """Mark the runs of this machine whose process is gone as failed, and free their slots."""
    filters = dg.RunsFilter(
        statuses=[dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.STARTING],
        tags={HOST: socket.gethostname()},
    )
    for run in instance.get_runs(filters):
        if not Path("/proc", run.tags[PID]).exists():
            instance.report_run_failed(run, "its process is gone")
            instance.event_log_storage.free_concurrency_slots_for_run(run.run_id)


def _execute(
    definitions: dg.Definitions,
    name: str,
    week: Week,
    instance: dg.DagsterInstance,
    console: Console,
    only: Sequence[str] = (),
) -> None:
    """Run a job for a week, with a line for each asset, or for those in `only`."""
    job = definitions.resolve_job_def(name)
    run_id = str(uuid.uuid4())
    total = len(job.asset_layer.selected_asset_keys)
    with console.status(week.key) as status:
        shown = _Shown(week.key, total, console, status, only)
        instance.add_event_listener(run_id, shown)
        result = job.execute_in_process(
            partition_key=week.key,
            instance=instance,
            run_id=run_id,
            raise_on_error=False,
            run_config=QUIET,
            tags={PID: str(os.getpid()), HOST: socket.gethostname()},
        )
    if not result.success:
        raise RunError("\n".join(shown.faults) or f"run {run_id} failed: see it in `collie ui`")


@dataclass
class _Shown:
    """Prints a line for every asset of a run as it comes to be, and collects what went wrong."""

    week: str
    total: int
    console: Console
    status: Status
    only: Sequence[str]
    done: int = 0
    faults: list[str] = field(default_factory=list)

    def __call__(self, entry: dg.EventLogEntry, cursor: object = None) -> None:  # noqa: ARG002 - Dagster's
        event = entry.dagster_event
        if event is None:
            return
        kind = event.event_type_value
        if kind == "STEP_START":
            self.status.update(f"{self.week}  {_name(event)} …")
        elif kind == "ASSET_MATERIALIZATION":
            self.done += 1
            self._print(event.step_materialization_data.materialization)
        elif kind == "ASSET_CHECK_EVALUATION":
            check = event.asset_check_evaluation_data
            if not check.passed:
                name = check.asset_key.to_user_string()
                self.faults.append(f"{name}: check {check.check_name} failed: {check.description}")
        elif kind == "STEP_FAILURE":
            self.faults.extend(_causes(event))

    def _print(self, made: dg.AssetMaterialization) -> None:
        name = made.asset_key.to_user_string()
        if not self.only or name in self.only:
            line = f"{self.week} {self.done:>3}/{self.total}  {name:<30} {_facts(made)}"
            self.console.print(line.rstrip(), highlight=False)


def _name(event: dg.DagsterEvent) -> str:
    """Return the key that a step makes."""
    return str(event.step_key).replace("__", "/")


def _facts(made: dg.AssetMaterialization) -> str:
    """Return what is worth a look in the metadata of an asset: its size, and one result."""
    values = {name: entry.value for name, entry in made.metadata.items()}
    rows, size = values.get("dagster/row_count"), values.get("bytes")
    facts = [f"{rows:>9,} rows" if isinstance(rows, int) else f"{int(str(size)) / 1024:>9,.0f} KiB"]
    if isinstance(score := values.get("mapk"), float):
        facts.append(f"MAP {score:.4f}")
    if isinstance(epochs := values.get("epochs"), int):
        facts.append(f"{epochs} epochs")
    return "  ".join(facts)


def _causes(event: dg.DagsterEvent) -> list[str]:
    """Return why a step failed, without the layers that Dagster wraps around it."""
    error: Any = getattr(event.event_specific_data, "error", None)
    while error is not None and error.cause is not None:
        error = error.cause
    if error is None or "DagsterAssetCheckFailedError" in error.message:
        return []
    return [f"{_name(event)}: {error.message.strip()}"]
