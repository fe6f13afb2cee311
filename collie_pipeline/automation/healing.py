"""The job that publishes a week without the models that failed in its run."""

import dagster as dg

from collie_pipeline.due import FAILED_RUN, PARTITION, WITHOUT_FAILED
from collie_pipeline.project import Project
from collie_pipeline.weeks import Week


def without_failed(project: Project) -> dg.JobDefinition:
    """Return the job that sensors ask for after a run of `weekly` in which only models failed.

    A job of assets would hold the failed models, and all that comes after them, in its graph. So
    its one step starts a run of a graph without them, in its own process, as `collie run` does.
    """

    @dg.op(description="Makes what comes after the evaluations, without the models that failed.")
    def publish_without_failed(context: dg.OpExecutionContext) -> None:
        # What runs weeks makes the definitions, which hold this job.
        from collie_pipeline.running import RunError, publish_without_failed

        week = Week.parse(context.partition_key)
        failed_run = context.run.tags.get(FAILED_RUN) or _last_weekly(context.instance, week)
        try:
            plan = publish_without_failed(project, week, context.instance, failed_run)
        except RunError as error:
            raise dg.Failure(str(error), allow_retries=False) from None
        lost = ", ".join(sorted(plan.failed))
        context.log.info(f"{week.key} is published without {lost}, after run {failed_run}")

    @dg.job(
        name=WITHOUT_FAILED,
        description="Publishes a week without the models that failed in its last run of weekly.",
        partitions_def=project.partitions,
    )
    def job() -> None:
        publish_without_failed()

    return job


def _last_weekly(instance: dg.DagsterInstance, week: Week) -> str:
    """Return the id of the last run of `weekly` that made `week`: of a job launched by hand."""
    chosen = dg.RunsFilter(job_name="weekly", tags={PARTITION: week.key})
    runs = instance.get_runs(chosen, limit=1)
    if not runs:
        raise dg.Failure(f"{week.key} has no run of the job weekly: launch that first")
    return runs[0].run_id
