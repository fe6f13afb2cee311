"""When a publication is late."""

from collections.abc import Sequence
from datetime import timedelta

import dagster as dg

from collie_pipeline.sections import Automation

PUBLICATION = dg.AssetKey(["recommendations", "publication"])


def freshness(automation: Automation) -> dg.FreshnessPolicy:
    """Return when a publication is late: `late_after_hours` after the schedule's hour.

    Any publication since the Monday began is in time: Dagster does not ask of which week it is. The
    check of `collie_pipeline.lateness` does.
    """
    hours = automation.late_hours
    return dg.FreshnessPolicy.cron(
        deadline_cron=f"0 {hours % 24} * * {(1 + hours // 24) % 7}",
        lower_bound_delta=timedelta(hours=min(hours, 168)),
        timezone="UTC",
    )


def with_freshness(
    assets: Sequence[dg.AssetsDefinition], automation: Automation
) -> Sequence[dg.AssetsDefinition]:
    """Return `assets`; the publication can be late where it is made by itself."""
    if not automation.publishes:
        return assets
    policy = freshness(automation)

    def timed(spec: dg.AssetSpec) -> dg.AssetSpec:
        return dg.apply_freshness_policy(spec, policy) if spec.key == PUBLICATION else spec

    return [each.map_asset_specs(timed) for each in assets]
