"""What can still be published in a week in which a model failed: what the others made.

Dagster never starts a step after one that failed. So the run with the failed model stays red, and
a second one, over the same week and without that model, does what comes after the evaluations.
`collie run` starts it at once, and the sensors ask for it at their next tick.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import dagster as dg

from collie_pipeline.definitions import make_definitions
from collie_pipeline.model_table import argument, rows
from collie_pipeline.project import Project
from collie_pipeline.unchanged import outdated
from collie_pipeline.weeks import Week

BOARD = dg.AssetSelection.assets(["evaluation", "leaderboard"])


@dataclass(frozen=True)
class Survivors:
    """The project without the failed models, and the assets that are still to be made."""

    failed: frozenset[str]
    project: Project
    definitions: dg.Definitions
    remaining: list[dg.AssetKey]


def survivors(project: Project, failed_steps: Iterable[str]) -> Survivors | None:
    """Return how to go on after the steps that failed; None if not only models did, or all.

    Models that start from a failed one are left out with it. The publication is of other settings
    than those of `project`, and so the next run of the week tries all models again.

    Parameters
    ----------
    project : what was run.
    failed_steps : keys of the steps that failed, not of those that were never started.
    """
    owners = {f"models__{argument(row.name)}": row.model for row in rows(project)}
    owners |= {f"evaluation__{model}": model for model in owners.values()}
    steps = set(failed_steps)
    if not steps or steps - owners.keys():
        return None
    failed = _with_dependents({owners[step] for step in steps}, project)
    models = project.settings.models
    names = tuple(name for name in models.names if name not in failed)
    if not names:
        return None
    kept = models.model_copy(update={"names": names})
    without = Project(project.settings.model_copy(update={"models": kept}))
    definitions = make_definitions(without)
    remaining = sorted(BOARD.downstream().resolve(definitions.resolve_asset_graph()))
    return Survivors(failed, without, definitions, remaining)


def survivors_of(
    project: Project, instance: dg.DagsterInstance, week: Week, run_id: str
) -> Survivors | None:
    """Return how `week` goes on after the run of `weekly` that failed; None as of `survivors`.

    Nor does it if what comes before the leaderboard is not as it would be made now: inputs have
    changed, or the run ended before all the others were made.
    """
    failures = instance.all_logs(run_id, of_type=dg.DagsterEventType.STEP_FAILURE)
    plan = survivors(project, [str(entry.step_key) for entry in failures])
    if plan is None:
        return None
    lacking = outdated(plan.project, plan.definitions, instance, week)
    return plan if set(lacking) <= set(plan.remaining) else None


def _with_dependents(failed: set[str], project: Project) -> frozenset[str]:
    """Return `failed` and the models that start from them; a row is after what it starts from."""
    lost = set(failed)
    for row in rows(project):
        if row.after and row.after.split("/")[0] in lost:
            lost.add(row.model)
    return frozenset(lost)
