"""Running weeks in this process, with a line for every asset as it comes to be."""

import os
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import dagster as dg
from rich.console import Console
from rich.markup import escape
from rich.status import Status

from collie_pipeline.dead_runs import close_dead_runs, own_tags
from collie_pipeline.definitions import make_definitions
from collie_pipeline.due import not_ingested
from collie_pipeline.project import Project
from collie_pipeline.settings import home_path
from collie_pipeline.storage import collect
from collie_pipeline.storage.locks import locked
from collie_pipeline.survivors import survivors
from collie_pipeline.text import harmless
from collie_pipeline.unchanged import outdated
from collie_pipeline.waiting import making
from collie_pipeline.weeks import Week

WIDTH = 41  # of evaluation/nonlinear_matrix_factorization, nearly: longer names push their facts
PRIVATE = "telemetry: {enabled: false}\nnux: {enabled: false}\n"
BLOCKED = "Step blocked by limit for pool"  # Dagster has no kind of event for it
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


class RunError(Exception):
    """A run did not succeed; the message says which asset or check, and why."""

    def __init__(self, message: str, failed_steps: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.failed_steps = list(failed_steps)


def dagster_home() -> Path:
    """Make `home_path`, set DAGSTER_HOME to it, and return it.

    A home without a configuration gets one that sends and asks nothing.
    """
    home = home_path()
    home.mkdir(parents=True, exist_ok=True)
    if not (home / "dagster.yaml").exists():
        (home / "dagster.yaml").write_text(PRIVATE)
    os.environ["DAGSTER_HOME"] = str(home)
    return home


def run_week(project: Project, week: Week, console: Console, force: bool = False) -> None:
    """Make what `week` lacks, after the rows of its window that are missing, oldest first.

    One process at a time makes a week: files of two, with other settings, would be mixed.

    Parameters
    ----------
    force : whether what is as it would be now is made again, too.

    Raises
    ------
    RunError
        If an asset or a blocking check fails.
    """
    home = dagster_home()
    collect(project.root)
    definitions = make_definitions(project)
    with locked(home / ".lock"):  # two that make Dagster's databases at once fail
        opened = dg.DagsterInstance.get()
    with opened as instance:
        close_dead_runs(instance)
        for each in not_ingested(instance, project, project.window(week)[:-1]):
            with making(project.root, each, console):
                if not_ingested(instance, project, [each]):  # not by who was waited for
                    _execute(definitions, "ingest", each, instance, console, ("prepared/clean",))
        with making(project.root, week, console):
            lacking = None if force else _lacking(project, definitions, instance, week, console)
            _publish(project, definitions, instance, week, console, lacking)


def _publish(
    project: Project,
    definitions: dg.Definitions,
    instance: dg.DagsterInstance,
    week: Week,
    console: Console,
    lacking: Sequence[dg.AssetKey] | None,
) -> None:
    """Make the assets that `week` is `lacking`, all by default, if need be without some models."""
    try:
        _execute(definitions, "weekly", week, instance, console, of=lacking)
    except RunError as error:
        plan = survivors(project, error.failed_steps)
        if plan is None:
            raise
        lost = ", ".join(sorted(plan.failed))
        said = f"{error}\n{week.key} goes on without {lost}."
        console.print(escape(harmless(said)), style="yellow")
        _execute(plan.definitions, "weekly", week, instance, console, of=plan.remaining)


def _lacking(
    project: Project,
    definitions: dg.Definitions,
    instance: dg.DagsterInstance,
    week: Week,
    console: Console,
) -> list[dg.AssetKey]:
    """Return what has to be made for `week`, and say how much need not."""
    lacking = outdated(project, definitions, instance, week)
    if kept := len(definitions.resolve_all_asset_specs()) - len(lacking):
        said = f"{week.key}  {kept} assets stay: code, settings and inputs are as they were"
        console.print(said, style="dim", highlight=False)
    return lacking


def _execute(
    definitions: dg.Definitions,
    name: str,
    week: Week,
    instance: dg.DagsterInstance,
    console: Console,
    only: Sequence[str] = (),
    of: Sequence[dg.AssetKey] | None = None,
) -> None:
    """Run a job, or the assets `of` it, for a week, with a line for each, or those in `only`."""
    job = definitions.resolve_job_def(name)
    run_id = str(uuid.uuid4())
    total = len(job.asset_layer.selected_asset_keys if of is None else of)
    with console.status(week.key) as status:
        shown = _Shown(week.key, total, console, status, only)
        instance.add_event_listener(run_id, shown)
        result = job.execute_in_process(
            partition_key=week.key,
            instance=instance,
            run_id=run_id,
            raise_on_error=False,
            run_config=QUIET,
            tags=own_tags(),
            asset_selection=None if of is None else list(of),
        )
    if not result.success:
        said = "\n".join(shown.faults) or f"run {run_id} failed: see it in `collie ui`"
        raise RunError(said, shown.failed_steps)


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
    failed_steps: list[str] = field(default_factory=list)

    def __call__(self, entry: dg.EventLogEntry, cursor: object = None) -> None:  # noqa: ARG002 - Dagster's
        event = entry.dagster_event
        if event is None:
            return
        kind = event.event_type_value
        if kind == "STEP_START":
            self.status.update(f"{self.week}  {_name(event)} …")
        elif kind == "ENGINE_EVENT" and BLOCKED in str(event.message):
            self._waits(event)
        elif kind == "ASSET_MATERIALIZATION":
            self.done += 1
            self._print(event.step_materialization_data.materialization)
        elif kind == "ASSET_CHECK_EVALUATION":
            self._check(event.asset_check_evaluation_data)
        elif kind == "STEP_FAILURE":
            self.failed_steps.append(str(event.step_key))
            self.faults.extend(_causes(event))

    def _check(self, check: Any) -> None:
        name = f"{check.asset_key.to_user_string()}: check {check.check_name}"
        if check.passed:
            return
        if check.severity is dg.AssetCheckSeverity.WARN:
            said = f"{self.week}  {name} warns: {check.description}"
            self.console.print(
                escape(harmless(said)), style="yellow", highlight=False, soft_wrap=True
            )
        else:
            self.faults.append(f"{name} failed: {check.description}")

    def _waits(self, event: dg.DagsterEvent) -> None:
        pool = event.engine_event_data.metadata["pool"].value
        said = f"{self.week}  {_name(event)} waits: another run has the place in pool {pool}"
        self.console.print(said, style="yellow", highlight=False, soft_wrap=True)

    def _print(self, made: dg.AssetMaterialization) -> None:
        name = made.asset_key.to_user_string()
        if not self.only or name in self.only:
            line = f"{self.week} {self.done:>3}/{self.total}  {name:<{WIDTH}} {_facts(made)}"
            self.console.print(line.rstrip(), highlight=False, soft_wrap=True)


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
    if isinstance(done := values.get("resumed_after_epoch"), int):
        facts.append(f"resumed after epoch {done}")
    return "  ".join(facts)


def _causes(event: dg.DagsterEvent) -> list[str]:
    """Return why a step failed, without the layers that Dagster wraps around it."""
    error: Any = getattr(event.event_specific_data, "error", None)
    while error is not None and error.cause is not None:
        error = error.cause
    if error is None or "DagsterAssetCheckFailedError" in error.message:
        return []
    return [f"{_name(event)}: {error.message.strip()}"]
