"""The sensor that tells a webhook of publications."""

from datetime import timedelta
from typing import Any

import dagster as dg

from collie_pipeline.automation.common import Clock, utc_now
from collie_pipeline.automation.freshness import PUBLICATION
from collie_pipeline.automation.posting import post, refuse_unsafe
from collie_pipeline.project import Project
from collie_pipeline.storage import current

TELL_FOR = timedelta(hours=1)


def publication_webhook(project: Project, clock: Clock = utc_now) -> dg.SensorDefinition:
    """Return the sensor that tells the webhook of every publication made after its first tick.

    What cannot be told is tried again at every tick for an hour, and then left out.

    Raises
    ------
    ValueError
        If the webhook is neither https nor on this machine.
    """
    url = project.settings.automation.webhook
    if url is None:
        raise ValueError("automation.webhook is not set: set COLLIE_AUTOMATION__WEBHOOK")
    refuse_unsafe(url)

    @dg.sensor(
        name="publication_webhook",
        minimum_interval_seconds=30,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Posts publication, week, model, folder and whether it serves to the webhook.",
    )
    def sensor(context: dg.SensorEvaluationContext) -> dg.SkipReason:
        newest = context.instance.fetch_materializations(PUBLICATION, limit=1).records
        if context.cursor is None:
            context.update_cursor(str(newest[0].storage_id if newest else 0))
            return dg.SkipReason("from now on the webhook is told of publications")
        told = 0
        after = dg.AssetRecordsFilter(PUBLICATION, after_storage_id=int(context.cursor))
        for record in context.instance.fetch_materializations(after, 100, ascending=True).records:
            wrong = post(url, message(project, record.asset_materialization))
            if wrong is not None:
                context.log.warning(f"the webhook was not told of a publication: {wrong}")
                if clock().timestamp() - record.timestamp < TELL_FOR.total_seconds():
                    return dg.SkipReason(f"the webhook is to be told again: {wrong}")
            told += wrong is None
            context.update_cursor(str(record.storage_id))
        return dg.SkipReason(f"the webhook was told of {told} publications")

    return sensor


def message(project: Project, made: dg.AssetMaterialization | None) -> dict[str, Any]:
    """Return what the webhook is told of a publication."""
    said = {} if made is None else {name: each.value for name, each in made.metadata.items()}
    serving = current(project.root)
    return {
        "publication": said.get("publication"),
        "week": None if made is None else made.partition,
        "model": said.get("model"),
        "folder": said.get("folder"),
        "serves": serving is not None and serving.id == said.get("publication"),
    }
