"""recommendations: the tables that consumers read, and the flip that publishes them."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import dagster as dg
import pandas as pd

from collie_pipeline.assets.common import asset, of, of_window
from collie_pipeline.assets.models import final_stages
from collie_pipeline.charts import bars
from collie_pipeline.project import Project
from collie_pipeline.weeks import Week

CODE = ("collie_core/recommend.py", "collie_pipeline/recommending.py")


def assets(project: Project) -> Sequence[dg.AssetsDefinition]:
    """Return the assets of this stage; new items have lists where a cold-start model is made."""
    stages = final_stages(project)
    tables = [users(project), similar_items(project)]
    if "cold_start" in stages:
        tables.append(new_items(stages["cold_start"], project))
    return [*tables, publication([asset.key.path[-1] for asset in tables], project)]


def users(project: Project) -> dg.AssetsDefinition:
    """Return `recommendations/users`."""
    k = project.settings.recommend.k

    @asset(
        project,
        "recommendations/users",
        f"{k} items for every user, best first; nothing the user has met in the window.",
        {"parquet"},
        *CODE,
        ins={
            "champion": of("models/champion"),
            "positives": of("prepared/hdf5"),
            "clean": of_window("prepared/clean", project),
            "known_users": of("raw/users"),
        },
        io_manager_key="parquet",
    )
    def user_lists(
        context: dg.AssetExecutionContext,
        champion: Path,
        positives: Path,
        clean: pd.DataFrame,
        known_users: pd.DataFrame,
    ) -> pd.DataFrame:
        from collie_pipeline.recommending import user_lists

        table = user_lists(champion, positives, clean, known_users, k)
        sources = table.groupby("source")["user_id"].nunique()
        context.add_output_metadata(
            {
                "users": table["user_id"].nunique(),
                "distinct_items": table["item_id"].nunique(),
                "users_by_source": dg.MetadataValue.md(bars(list(sources.items()))),
            }
        )
        return table

    return user_lists


def similar_items(project: Project) -> dg.AssetsDefinition:
    """Return `recommendations/similar_items`."""
    k = project.settings.recommend.similar_k

    @asset(
        project,
        "recommendations/similar_items",
        f"Up to {k} similar items for every item, by cosine.",
        {"parquet"},
        *CODE,
        ins={"champion": of("models/champion"), "positives": of("prepared/hdf5")},
        io_manager_key="parquet",
    )
    def item_lists(champion: Path, positives: Path) -> pd.DataFrame:
        from collie_pipeline.recommending import similar_item_lists

        return similar_item_lists(champion, positives, k)

    return item_lists


def new_items(stage: str, project: Project) -> dg.AssetsDefinition:
    """Return `recommendations/new_items`."""
    k = project.settings.recommend.similar_k

    @asset(
        project,
        "recommendations/new_items",
        f"The {k} items most like a new item of each genre, before anybody has met it.",
        {"parquet"},
        *CODE,
        ins={"cold_start": of(f"models/{stage}")},
        io_manager_key="parquet",
    )
    def bucket_lists(cold_start: Path) -> pd.DataFrame:
        from collie_pipeline.recommending import new_item_lists

        return new_item_lists(cold_start, k)

    return bucket_lists


def publication(tables: Sequence[str], project: Project) -> dg.AssetsDefinition:
    """Return `recommendations/publication`."""

    @asset(
        project,
        "recommendations/publication",
        "The tables as one immutable set, published by one flip of a pointer.",
        {"parquet"},
        "collie_pipeline/storage",
        ins={
            "decision": of("evaluation/champion"),
            "champion": of("models/champion"),
            **{name: of(f"recommendations/{name}") for name in tables},
        },
        io_manager_key="parquet",
    )
    def published(
        context: dg.AssetExecutionContext,
        decision: pd.DataFrame,
        champion: Path,
        **frames: pd.DataFrame,
    ) -> pd.DataFrame:
        from collie_pipeline.storage import publish

        week = Week.parse(context.partition_key)
        about = _about(project, week, decision, frames)
        made = publish(project.root, frames, champion, about)
        context.add_output_metadata(
            {
                "publication": made.id,
                "model": str(about["model"]),
                "folder": dg.MetadataValue.path(str(made.path)),
                "manifest": dg.MetadataValue.json(dict(made.manifest)),
            }
        )
        return pd.DataFrame([{"publication": made.id, "week": week.key, "model": about["model"]}])

    return published


def _about(
    project: Project,
    week: Week,
    decision: pd.DataFrame,
    frames: Mapping[str, pd.DataFrame],
) -> dict[str, Any]:
    """Return what the manifest says of the publication beside its files' hashes."""
    from collie_pipeline.project import code_version
    from collie_pipeline.storage import serving_before

    parent = serving_before(project.root, week.key)
    return {
        "week": week.key,
        "window": [each.key for each in project.window(week)],
        "source": project.source.name,
        "model": str(decision["model"].iloc[0]),
        "inputs": project.fingerprint(week),
        "settings": project.settings.fingerprint(),
        "code": code_version("collie_core", "collie_pipeline"),
        "rows": {name: len(frame) for name, frame in frames.items()},
        "parent": None if parent is None else {"id": parent.id, "sha256": parent.sha256},
    }
