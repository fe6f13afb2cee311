"""raw: what the source says, unchanged, one file a week."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import dagster as dg
import pandas as pd
import pyarrow.parquet as pq

from collie_pipeline.assets.checks import found, promised
from collie_pipeline.assets.common import asset
from collie_pipeline.checking import Finding, unique_ids, volume
from collie_pipeline.erased import without_erased
from collie_pipeline.project import Project
from collie_pipeline.storage import is_sound
from collie_pipeline.weeks import Week

CODE = "collie_pipeline/sources"
NOT_EMPTY = "not_empty"
USUAL_VOLUME = "usual_volume"
UNIQUE = "unique_ids"


def assets(project: Project) -> Sequence[dg.AssetsDefinition]:
    """Return the assets of this stage."""
    source = project.source
    return [
        interactions(project),
        _table(
            project,
            "raw/items",
            "item_id",
            "Items known by the week, with titles and genres.",
            lambda week: source.items(week),
        ),
        _table(
            project,
            "raw/users",
            "user_id",
            "Users known by the week.",
            lambda week: without_erased(project.root, source.users(week))[0],
        ),
    ]


def interactions(project: Project) -> dg.AssetsDefinition:
    """Return `raw/interactions`."""
    key, settings = "raw/interactions", project.settings

    @asset(
        project,
        key,
        "The week's interactions as read.",
        {"parquet"},
        CODE,
        io_manager_key="parquet",
        check_specs=promised(key, NOT_EMPTY, USUAL_VOLUME),
    )
    def raw_interactions(context: dg.AssetExecutionContext) -> Iterator[Any]:
        week = project.week(context.partition_key)
        # Before the rows: if the source changes in between, the week counts as not read.
        fingerprint = project.ingest_fingerprint(week)
        version = project.source.fingerprint(week)
        rows, erased = without_erased(project.root, project.source.interactions(week))
        _refuse_unrated(key, rows, week, project)
        known: dict[str, Any] = {
            "source": project.source.name,
            "source_fingerprint": version,
            "fingerprint": fingerprint,
            "erased_user": erased,
        }
        yield dg.Output(rows, metadata=known, data_version=dg.DataVersion(version))
        yield found(key, NOT_EMPTY, _not_empty(rows, week, project))
        usual = volume(len(rows), _earlier(key, week, project), settings.checks.max_volume_change)
        yield found(key, USUAL_VOLUME, usual)

    return raw_interactions


def _refuse_unrated(key: str, rows: pd.DataFrame, week: Week, project: Project) -> None:
    """Refuse rows without ratings where some are asked for: every one would be a positive.

    The week's own rows of an earlier look are asked too: a column that is renamed is in no file.
    """
    prepare = project.settings.prepare
    if "rating" in rows or prepare.unrated_are_positives:
        return
    rated = [path.stem for path in _on_disk(key, project.window(week), project) if _is_rated(path)]
    if rated or "min_rating" in prepare.model_fields_set:
        why = f"{key} of {rated[-1]} had one" if rated else "prepare.min_rating asks for one"
        raise ValueError(
            f"week {week.key} has no column rating, and {why}: name it in files.columns or "
            "sql.columns, or set prepare.unrated_are_positives = true if there is none any more"
        )


def _is_rated(path: Path) -> bool:
    return "rating" in pq.read_schema(path).names


def _earlier(key: str, week: Week, project: Project) -> list[int]:
    """Return how many rows the earlier weeks of the window have that are sound on disk."""
    paths = _on_disk(key, project.window(week)[:-1], project)
    return [pq.read_metadata(path).num_rows for path in paths]


def _on_disk(key: str, weeks: Sequence[Week], project: Project) -> list[Path]:
    """Return the files of `weeks` that are sound."""
    folder = Path(project.root, *key.split("/"))
    paths = [folder / f"{each.key}.parquet" for each in weeks]
    return [path for path in paths if is_sound(path)]


def _not_empty(rows: pd.DataFrame, week: Week, project: Project) -> Finding:
    fine = len(rows) > 0 or project.settings.prepare.allow_empty_weeks
    said = (
        f"{len(rows)} rows"
        if fine
        else (
            f"week {week.key} has 0 rows, must have some: check the source, set start to a later "
            "day if rows before it are strays, or set prepare.allow_empty_weeks = true"
        )
    )
    return Finding(fine, said, {"rows": len(rows)})


def _table(
    project: Project,
    key: str,
    id_column: str,
    description: str,
    read: Callable[[Week], pd.DataFrame],
) -> dg.AssetsDefinition:
    @asset(
        project,
        key,
        description,
        {"parquet"},
        CODE,
        io_manager_key="parquet",
        metadata={"source": project.source.name},
        check_specs=promised(key, UNIQUE, blocking=False),
    )
    def raw_table(context: dg.AssetExecutionContext) -> Iterator[Any]:
        week = project.week(context.partition_key)
        version, table = dg.DataVersion(project.source.fingerprint(week)), read(week)
        yield dg.Output(table, data_version=version)
        yield found(key, UNIQUE, unique_ids(table, id_column))

    return raw_table
