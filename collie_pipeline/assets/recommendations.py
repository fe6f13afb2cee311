"""recommendations: the tables that consumers read."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import dagster as dg
import pandas as pd

from collie_pipeline.assets.checks import found, promised
from collie_pipeline.assets.common import IDS, asset, of, of_window
from collie_pipeline.assets.publishing import changes, publication
from collie_pipeline.charts import bars
from collie_pipeline.checking import coverage, new_lists, similar_lists, unseen, whole_lists
from collie_pipeline.model_table import final_stages
from collie_pipeline.project import Project

CODE = ("collie_core/recommend.py", "collie_pipeline/recommending.py")
WHOLE, UNSEEN, SOUND = "whole_lists", "nothing_seen", "sound_lists"
COVERAGE = "coverage"


def assets(project: Project) -> Sequence[dg.AssetsDefinition]:
    """Return the assets of this stage; new items have lists where a cold-start model is made."""
    stages = final_stages(project)
    tables = [users(project), similar_items(project)]
    if "cold_start" in stages:
        tables.append(new_items(stages["cold_start"], project))
    names = [asset.key.path[-1] for asset in tables]
    return [*tables, changes(project), publication(names, project)]


def users(project: Project) -> dg.AssetsDefinition:
    """Return `recommendations/users`."""
    k, key = project.settings.recommend.k, "recommendations/users"
    least = project.settings.checks.min_coverage

    @asset(
        project,
        key,
        f"{k} items for every user, best first; nothing the user has met in the window.",
        {"parquet"},
        *CODE,
        ins={
            "champion": of("models/champion"),
            "positives": of("prepared/hdf5"),
            "clean": of_window("prepared/clean", project, IDS),
            "known_users": of("raw/users"),
        },
        io_manager_key="parquet",
        check_specs=[
            *promised(key, WHOLE, UNSEEN),
            *promised(key, COVERAGE, blocking=False),
        ],
    )
    def user_lists(
        champion: Path,
        positives: Path,
        clean: pd.DataFrame,
        known_users: pd.DataFrame,
    ) -> Iterator[Any]:
        from collie_pipeline.preparation import read_ids
        from collie_pipeline.recommending import user_lists

        table = user_lists(champion, positives, clean, known_users, k)
        warm_ids, item_ids = read_ids(positives)
        known = {*warm_ids, *clean["user_id"].unique(), *known_users["user_id"].astype(str)}
        covered = coverage(table, len(item_ids), least)
        sources = table.groupby("source")["user_id"].nunique()
        yield dg.Output(
            table,
            metadata={
                "users": table["user_id"].nunique(),
                "distinct_items": table["item_id"].nunique(),
                **covered.numbers,
                "users_by_source": dg.MetadataValue.md(bars(list(sources.items()))),
            },
        )
        yield found(key, WHOLE, whole_lists(table, known, k))
        yield found(key, UNSEEN, unseen(table, clean))
        yield found(key, COVERAGE, covered)

    return user_lists


def similar_items(project: Project) -> dg.AssetsDefinition:
    """Return `recommendations/similar_items`."""
    k, key = project.settings.recommend.similar_k, "recommendations/similar_items"

    @asset(
        project,
        key,
        f"Up to {k} similar items for every item, by cosine.",
        {"parquet"},
        *CODE,
        ins={"champion": of("models/champion"), "positives": of("prepared/hdf5")},
        io_manager_key="parquet",
        check_specs=promised(key, SOUND),
    )
    def item_lists(champion: Path, positives: Path) -> Iterator[Any]:
        from collie_pipeline.recommending import similar_item_lists

        table = similar_item_lists(champion, positives, k)
        yield dg.Output(table)
        yield found(key, SOUND, similar_lists(table, k))

    return item_lists


def new_items(stage: str, project: Project) -> dg.AssetsDefinition:
    """Return `recommendations/new_items`."""
    k, key = project.settings.recommend.similar_k, "recommendations/new_items"
    bucket = project.settings.features.bucket

    @asset(
        project,
        key,
        f"The {k} items most like a new item of each bucket, by {bucket}, before it is met.",
        {"parquet"},
        *CODE,
        ins={"cold_start": of(f"models/{stage}")},
        io_manager_key="parquet",
        check_specs=promised(key, SOUND),
    )
    def bucket_lists(cold_start: Path) -> Iterator[Any]:
        from collie_core.bundle import read_bundle
        from collie_pipeline.recommending import new_item_lists

        table, ids = new_item_lists(cold_start, k), read_bundle(cold_start).ids
        yield dg.Output(table)
        length = min(k, len(ids["item_id"]))
        yield found(key, SOUND, new_lists(table, ids["bucket"], length))

    return bucket_lists
