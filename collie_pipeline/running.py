"""Running weeks in this process, with a line for every asset as it comes to be."""

import os
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
from rich.console import Console
from rich.markup import escape

from collie_core.files import replacing
from collie_pipeline.dead_runs import close_dead_runs, living
from collie_pipeline.definitions import make_definitions
from collie_pipeline.due import not_ingested
from collie_pipeline.progress import Progress
from collie_pipeline.project import Project
from collie_pipeline.settings import home_path
from collie_pipeline.storage import collect
from collie_pipeline.storage.locks import locked
from collie_pipeline.survivors import Survivors, survivors, survivors_of
from collie_pipeline.text import harmless
from collie_pipeline.unchanged import outdated, weekly_keys
from collie_pipeline.unrecorded import recorded_or_ended
from collie_pipeline.waiting import making
from collie_pipeline.weeks import Week

PRIVATE = "telemetry: {enabled: false}\nnux: {enabled: false}\n"
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
UNSEEN = Console(quiet=True)


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
        with replacing(home / "dagster.yaml") as temporary:  # half of one would send
            temporary.write_text(PRIVATE)
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
    with _window_made(project, week, console) as (definitions, instance):
        lacking = None if force else _lacking(project, definitions, instance, week, console)
        _publish(project, definitions, instance, week, console, lacking)


def make_assets(project: Project, week: Week, keys: Sequence[str], console: Console) -> None:
    """Make what `week` lacks of the assets `keys`, and of all that they are made from.

    Raises
    ------
    RunError
        If an asset or a blocking check fails.
    """
    with _window_made(project, week, console) as (definitions, instance):
        selected = dg.AssetSelection.assets(*[key.split("/") for key in keys]).upstream()
        wanted = selected.resolve(definitions.resolve_asset_graph())
        steps = [definitions.resolve_assets_def(key).keys for key in wanted]
        needed = {key for step in steps for key in step}  # what one step makes is made together
        lacking = [k for k in outdated(project, definitions, instance, week) if k in needed]
        if lacking:
            _execute(definitions, "weekly", week, instance, console, of=lacking)


def publish_without_failed(
    project: Project, week: Week, instance: dg.DagsterInstance, failed_run: str
) -> Survivors:
    """Publish `week` without the models that failed in a run of `weekly`, and return what was done.

    Raises
    ------
    RunError
        If not only models failed in it, its inputs are others now, or an asset or a check fails.
    """
    close_dead_runs(instance)
    with making(project.root, week, UNSEEN):
        plan = survivors_of(project, instance, week, failed_run)
        if plan is None:
            raise RunError(
                f"{week.key} cannot go on after run {failed_run}: not only models failed there, or "
                "what the others are made of has changed since: run the job weekly again"
            )
        _go_on(plan, week, instance, UNSEEN)
    return plan


@contextmanager
def _window_made(
    project: Project, week: Week, console: Console
) -> Iterator[tuple[dg.Definitions, dg.DagsterInstance]]:
    """Make the rows of the window that are missing, and hold `week` while the block lasts."""
    home = dagster_home()
    collect(project.root)
    definitions = make_definitions(project)
    with recorded_or_ended(), _opened(home) as instance:
        close_dead_runs(instance)
        for each in not_ingested(instance, project, project.window(week)[:-1]):
            with making(project.root, each, console):
                if not_ingested(instance, project, [each]):  # not by who was waited for
                    _execute(definitions, "ingest", each, instance, console, ("prepared/clean",))
        with making(project.root, week, console):
            yield definitions, instance


def _opened(home: Path) -> dg.DagsterInstance:
    with locked(home / ".lock"):  # two that make Dagster's databases at once fail
        return dg.DagsterInstance.get()


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
        console.print(escape(harmless(str(error))), style="yellow")
        _go_on(plan, week, instance, console)


def _go_on(plan: Survivors, week: Week, instance: dg.DagsterInstance, console: Console) -> None:
    """Make what `week` still lacks without the models that failed."""
    console.print(f"{week.key} goes on without {', '.join(sorted(plan.failed))}.", style="yellow")
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
    if kept := len(weekly_keys(definitions)) - len(lacking):
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
    with console.status(week.key) as status, living(instance, run_id) as tags:
        shown = Progress(week.key, total, console, status, only)
        instance.add_event_listener(run_id, shown)
        result = job.execute_in_process(
            partition_key=week.key,
            instance=instance,
            run_id=run_id,
            raise_on_error=False,
            run_config=QUIET,
            tags=tags,
            asset_selection=None if of is None else list(of),
        )
    if not result.success:
        said = "\n".join(shown.faults) or f"run {run_id} failed: see it in `collie ui`"
        raise RunError(said, shown.failed_steps)
