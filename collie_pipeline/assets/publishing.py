"""recommendations, at last: how the lists changed, and the flip that publishes the tables."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import pandas as pd

from collie_pipeline.assets.checks import found, promised
from collie_pipeline.assets.common import asset, of
from collie_pipeline.checking import as_hashed
from collie_pipeline.project import Project
from collie_pipeline.weeks import Week

CHURN, HASHED, NEWEST = "churn", "as_hashed", "newest_published"


def changes(project: Project) -> dg.AssetsDefinition:
    """Return `recommendations/churn`."""
    key = "recommendations/churn"

    @asset(
        project,
        key,
        "How much users' lists changed since the publication before, by where they come from.",
        {"parquet"},
        "collie_pipeline/churn.py",
        ins={"lists": of("recommendations/users")},
        io_manager_key="parquet",
        check_specs=promised(key, CHURN, blocking=False),
    )
    def changed(context: dg.AssetExecutionContext, lists: pd.DataFrame) -> Iterator[Any]:
        from collie_pipeline.churn import calm, churn, published_lists
        from collie_pipeline.storage import serving_before

        serving = serving_before(project.root, context.partition_key)
        table = churn(lists, published_lists(serving))
        finding = calm(table, project.settings.checks.max_churn)
        before = "none" if serving is None else serving.id
        yield dg.Output(table, metadata={"publication_before": before, **finding.numbers})
        yield found(key, CHURN, finding)

    return changed


def publication(tables: Sequence[str], project: Project) -> dg.AssetsDefinition:
    """Return `recommendations/publication`."""
    key, can_be_late = "recommendations/publication", project.settings.automation.publishes

    @asset(
        project,
        key,
        "The tables as one immutable set, published by one flip of a pointer.",
        {"parquet"},
        "collie_pipeline/storage",
        ins={
            "decision": of("evaluation/champion"),
            "champion": of("models/champion"),
            **{name: of(f"recommendations/{name}") for name in tables},
        },
        deps=[["recommendations", "churn"]],
        io_manager_key="parquet",
        check_specs=[
            *promised(key, HASHED),
            *promised(key, *([NEWEST] if can_be_late else []), blocking=False),
        ],
    )
    def published(
        context: dg.AssetExecutionContext,
        decision: pd.DataFrame,
        champion: Path,
        **frames: pd.DataFrame,
    ) -> Iterator[Any]:
        from collie_pipeline.due import read_from
        from collie_pipeline.lateness import newest_published
        from collie_pipeline.provenance import provenance
        from collie_pipeline.storage import prune, publish

        week, model = Week.parse(context.partition_key), str(decision["model"].iloc[0])
        raw = read_from(context.instance, project.window(week))
        about = provenance(project, week, model, champion, raw)
        made = publish(project.root, frames, champion, about, _run(context))
        kept = project.settings.publications
        removed = prune(project.root, kept.keep, kept.keep_days)
        yield dg.Output(
            pd.DataFrame([{"publication": made.id, "week": week.key, "model": model}]),
            metadata={
                "publication": made.id,
                "model": model,
                "folder": dg.MetadataValue.path(str(made.path)),
                "manifest": dg.MetadataValue.json(dict(made.manifest)),
                "removed": dg.MetadataValue.json(removed),
            },
        )
        yield found(key, HASHED, as_hashed(made))
        if can_be_late:
            yield found(key, NEWEST, newest_published(project, datetime.now(UTC)))

    return published


def _run(context: dg.AssetExecutionContext) -> dict[str, str]:
    """Return what is told of the run, and is no part of what the same inputs give."""
    return {"run_id": context.run.run_id, "job": context.run.job_name}
