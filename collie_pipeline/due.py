"""What is made already and what is due: what commands, schedules and sensors ask before a run."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import dagster as dg

from collie_pipeline.dead_runs import close_dead_runs
from collie_pipeline.project import Project
from collie_pipeline.records import last_made, metadata_of
from collie_pipeline.storage import Publication, is_sound, publications, take_over
from collie_pipeline.weeks import Week

INTERACTIONS = dg.AssetKey(["raw", "interactions"])
PARTITION, RUN_KEY = "dagster/partition", "dagster/run_key"
WITHOUT_FAILED, FAILED_RUN = "weekly_without_failed", "collie/failed_run"
INGESTED = ("raw/interactions", "prepared/clean")


@dataclass(frozen=True)
class Due:
    """The runs to ask for, the weeks whose rows are missing, and why nothing else is asked for."""

    requests: list[dg.RunRequest]
    lacking: list[Week]
    reason: str


@dataclass(frozen=True)
class Held:
    """Why a run is not asked for, and the one that failed from the same inputs, if any did."""

    reason: str
    failed: dg.DagsterRun | None = None


def published(project: Project, week: Week) -> Publication | None:
    """Return the whole publication of `week` made from the very same inputs, or None.

    If the process that made it died before it served, it is let serve.
    """
    inputs = project.fingerprint(week)
    for each in publications(project.root):
        if (each.week, each.manifest["inputs"]) == (week.key, inputs) and each.is_whole():
            take_over(project.root, each)
            return each
    return None


def is_ingested(instance: dg.DagsterInstance, project: Project, week: Week) -> bool:
    """Return whether the rows of `week` are sound on disk, and made from what the source has."""
    if not all(is_sound(Path(project.root, key, f"{week.key}.parquet")) for key in INGESTED):
        return False
    known = metadata_of(last_made(instance, INTERACTIONS, week.key))
    return known.get("fingerprint") == project.ingest_fingerprint(week)


def read_from(instance: dg.DagsterInstance, weeks: Iterable[Week]) -> dict[str, str]:
    """Return the source's fingerprint of each week when its rows were read: it may have changed."""
    found = {week.key: metadata_of(last_made(instance, INTERACTIONS, week.key)) for week in weeks}
    return {key: str(known.get("source_fingerprint", "")) for key, known in found.items()}


def not_ingested(
    instance: dg.DagsterInstance, project: Project, weeks: Iterable[Week]
) -> list[Week]:
    """Return those of `weeks` that are not ingested, oldest first."""
    return [week for week in sorted(weeks) if not is_ingested(instance, project, week)]


def due(
    project: Project, instance: dg.DagsterInstance, week: Week, also: Iterable[Week] = ()
) -> Due:
    """Return what has to run for `week` to be published, and for `also` to be ingested.

    Weeks of the window without rows are asked for first; `week` itself once none is missing. Its
    own rows, and so a month without runs, need no more than this. Nothing is asked for while a run
    makes that week, nor twice from the same inputs: what failed once would fail again. Where only
    models did, the week is asked for once more, without them.
    """
    close_dead_runs(instance)
    done = published(project, week)
    window = set(project.window(week)[:-1])
    lacking = not_ingested(instance, project, {*also, *(() if done else window)} - {week})
    asked = [("ingest", each) for each in lacking]
    if done is None and not window.intersection(lacking):
        asked.append(("weekly", week))
    requests, reasons = [], [] if done is None else [f"{done.id} is published already"]
    for job, each in asked:
        request, reason = _asked(project, instance, job, each)
        requests += [] if request is None else [request]
        reasons += [] if reason is None else [reason]
    return Due(requests, lacking, "; ".join(reasons))


def _asked(
    project: Project, instance: dg.DagsterInstance, job: str, week: Week
) -> tuple[dg.RunRequest | None, str | None]:
    """Return the run to ask for, if any, and why it is not that of `job`."""
    request = _request(project, instance, job, week)
    held = _held(instance, request)
    if held is None:
        return request, None
    if job != "weekly" or held.failed is None:
        return None, held.reason
    other, reason = _without_failed(project, instance, week, request, held.failed)
    return other, held.reason if reason is None else f"{held.reason}; {reason}"


def _request(project: Project, instance: dg.DagsterInstance, job: str, week: Week) -> dg.RunRequest:
    """Return the request of a run of what is outdated; its key is one with its inputs and root."""
    made_of = project.fingerprint(week) if job == "weekly" else project.ingest_fingerprint(week)
    inputs = hashlib.sha256(f"{project.root.resolve()} {made_of}".encode()).hexdigest()
    # With the tag Dagster does not look the week up among those known when the code was loaded:
    # a new one is known to the run, which loads it again.
    return dg.RunRequest(
        run_key=f"{job}:{week.key}:{inputs[:16]}",
        job_name=job,
        partition_key=week.key,
        tags={PARTITION: week.key},
        asset_selection=_outdated(project, instance, week) if job == "weekly" else None,
    )


def _outdated(
    project: Project, instance: dg.DagsterInstance, week: Week
) -> list[dg.AssetKey] | None:
    """Return the assets of `week` that have to be made, None for all of them."""
    # The definitions hold the sensors, which ask here.
    from collie_pipeline.definitions import make_definitions
    from collie_pipeline.unchanged import outdated, weekly_keys

    definitions = make_definitions(project)
    keys = outdated(project, definitions, instance, week)
    return None if len(keys) == len(weekly_keys(definitions)) else keys


def _without_failed(
    project: Project,
    instance: dg.DagsterInstance,
    week: Week,
    request: dg.RunRequest,
    failed: dg.DagsterRun,
) -> tuple[dg.RunRequest | None, str | None]:
    """Return the run that goes on without the models that `failed` lost, if any, and what is said.

    Parameters
    ----------
    request : that of `failed`: it is of the same inputs.
    """
    from collie_pipeline.survivors import survivors_of

    plan = survivors_of(project, instance, week, failed.run_id)
    if plan is None:
        return None, None
    lost = ", ".join(sorted(plan.failed))
    done = published(plan.project, week)
    if done is not None:
        return None, f"{done.id} is published without {lost}, until inputs change"
    other = dg.RunRequest(
        run_key=f"{WITHOUT_FAILED}:{request.run_key}",
        job_name=WITHOUT_FAILED,
        partition_key=week.key,
        tags={PARTITION: week.key, FAILED_RUN: failed.run_id},
    )
    held = _held(instance, other)
    if held is not None:
        return None, held.reason
    return other, f"{WITHOUT_FAILED} goes on without {lost}"


def _held(instance: dg.DagsterInstance, request: dg.RunRequest) -> Held | None:
    """Return why a run is not to be asked for, or None."""
    name = f"{request.job_name} of {request.partition_key}"
    runs = instance.get_runs(dg.RunsFilter(tags={PARTITION: str(request.partition_key)}))
    for run in runs:
        if not run.is_finished:
            return Held(f"{name} waits for run {run.run_id}, which is at that week")
    for run in runs:
        if run.tags.get(RUN_KEY) == request.run_key:
            reason = f"{name} is not there after run {run.run_id}, {_way_out(run.status)}"
            return Held(reason, run if run.status is dg.DagsterRunStatus.FAILURE else None)
    return None


def _way_out(status: dg.DagsterRunStatus) -> str:
    if status is dg.DagsterRunStatus.SUCCESS:
        return (
            "which succeeded: reload the code location if settings have changed, or run it again "
            "if its files were removed"
        )
    return f"which ended as {status.value} from the same inputs: run it again once it is mended"
