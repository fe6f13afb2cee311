"""prepared: from rows as read to a split window, encoded, on disk."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import dagster as dg
import pandas as pd

from collie_pipeline.assets.checks import found, promised
from collie_pipeline.assets.common import IDS, asset, described, of, of_window, recorded
from collie_pipeline.charts import bars
from collie_pipeline.checking import (
    Finding,
    in_order,
    known_items,
    ranges,
    schema,
    separate,
    unique_rows,
)
from collie_pipeline.preparation import (
    REASONS,
    clean,
    folds,
    implicit,
    refuse_mixed,
    write_hdf5,
)
from collie_pipeline.preparation.split import Folds
from collie_pipeline.project import Project
from collie_pipeline.storage.staging import staging
from collie_pipeline.weeks import Week

CODE = "collie_pipeline/preparation"
FEW_REFUSED = "few_rows_refused"
SCHEMA, UNIQUE, IN_RANGE = "schema", "unique_rows", "in_range"
KNOWN_ITEMS = "known_items"
SEPARATE, NO_FUTURE = "in_one_part_each", "no_future_rows"
PARTS = ("train", "validation", "test")


def assets(project: Project) -> Sequence[dg.AssetsDefinition]:
    """Return the assets of this stage."""
    return [clean_and_quarantine(project), encoded(project), hdf5(project), parts(project)]


def out(project: Project, key: str, description: str, kind: str) -> dg.AssetOut:
    """Return the output of a function with several that is the asset `key`."""
    shared = described(project, key, description, {kind}, CODE)
    del shared["partitions_def"]
    return dg.AssetOut(**shared, io_manager_key=kind)


def clean_and_quarantine(project: Project) -> dg.AssetsDefinition:
    """Return `prepared/clean` and `prepared/quarantine`."""
    key = "prepared/clean"

    @dg.multi_asset(
        name="prepared__clean",
        outs={
            "clean": out(project, key, "The week's sound rows, typed.", "parquet"),
            "quarantine": out(
                project, "prepared/quarantine", "The week's refused rows, with reasons.", "parquet"
            ),
        },
        ins={"raw": of("raw/interactions")},
        partitions_def=project.partitions,
        check_specs=promised(key, FEW_REFUSED, SCHEMA, UNIQUE, IN_RANGE),
    )
    @partial(recorded, project)
    def clean_week(context: dg.AssetExecutionContext, raw: pd.DataFrame) -> Iterator[Any]:
        week = Week.parse(context.partition_key)
        source, allowed = project.source, project.settings.prepare.rating_range
        sound, refused = clean(raw, week, source.mode, source.time_unit, allowed)
        share = len(refused) / max(1, len(raw))
        days = sound["timestamp"].dt.day_name().str[:3].value_counts(sort=False)
        yield dg.Output(
            sound,
            "clean",
            metadata={
                "users": sound["user_id"].nunique(),
                "items": sound["item_id"].nunique(),
                "quarantined_share": share,
                "by_day": dg.MetadataValue.md(bars(list(days.items()))),
            },
        )
        reasons = refused["reason"].value_counts()
        counts = [(f"{name}: {REASONS[str(name)]}", count) for name, count in reasons.items()]
        chart = dg.MetadataValue.md(bars(counts))
        yield dg.Output(refused, "quarantine", metadata={"reasons": chart})
        dated = week if project.source.mode == "events" else None
        yield found(key, FEW_REFUSED, _few_refused(refused, len(raw), project))
        yield found(key, SCHEMA, schema(sound))
        yield found(key, UNIQUE, unique_rows(sound))
        yield found(key, IN_RANGE, ranges(sound, dated))

    return clean_week


def _few_refused(refused: pd.DataFrame, rows: int, project: Project) -> Finding:
    allowed, share = project.settings.prepare.max_quarantined_share, len(refused) / max(1, rows)
    most = refused["reason"].value_counts().head(1)
    mostly = "".join(f", {count} as {name} ({REASONS[str(name)]})" for name, count in most.items())
    return Finding(
        share <= allowed,
        f"{len(refused)} of {rows} rows were refused{mostly}, at most {allowed:.1%} may be: see "
        "prepared/quarantine, or raise prepare.max_quarantined_share",
        {"quarantined_share": share},
    )


def encoded(project: Project) -> dg.AssetsDefinition:
    """Return `prepared/implicit`."""
    prepare, key = project.settings.prepare, "prepared/implicit"

    @asset(
        project,
        key,
        "The window's positives, by outside id: one row a user and an item.",
        {"parquet"},
        CODE,
        ins={"window": of_window("prepared/clean", project, IDS), "items": of("raw/items")},
        io_manager_key="parquet",
        check_specs=promised(key, KNOWN_ITEMS, blocking=False),
    )
    def positives(window: pd.DataFrame, items: pd.DataFrame) -> Iterator[Any]:
        if not prepare.unrated_are_positives:
            refuse_mixed(window)
        encoded = implicit(
            window,
            prepare.min_rating,
            prepare.min_user_interactions,
            prepare.min_item_interactions,
        )
        counts = {"users": len(encoded.user_ids), "items": len(encoded.item_ids)}
        density = encoded.num_interactions / (counts["users"] * counts["items"])
        table = encoded.table()
        yield dg.Output(table, metadata={"clean_rows": len(window), **counts, "density": density})
        yield found(key, KNOWN_ITEMS, known_items(table["item_id"], items))

    return positives


def hdf5(project: Project) -> dg.AssetsDefinition:
    """Return `prepared/hdf5`."""

    @asset(
        project,
        "prepared/hdf5",
        "The window's positives with integers for ids, in a file that is read by chunks.",
        {"hdf5"},
        CODE,
        ins={"positives": of("prepared/implicit", IDS)},
        io_manager_key="hdf5",
    )
    def positives_on_disk(positives: pd.DataFrame) -> Any:
        return partial(write_hdf5, positives)

    return positives_on_disk


def parts(project: Project) -> dg.AssetsDefinition:
    """Return `prepared/train`, `prepared/validation` and `prepared/test`."""
    settings = project.settings
    method = settings.split.method
    promises = promised("prepared/train", NO_FUTURE) if method == "time" else []

    @dg.multi_asset(
        name="prepared__split",
        outs={
            part: out(
                project,
                f"prepared/{part}",
                f"The {part} part of the window, split by {method}.",
                "hdf5",
            )
            for part in PARTS
        },
        ins={"positives": of("prepared/hdf5")},
        partitions_def=project.partitions,
        check_specs=[*promises, *promised("prepared/test", SEPARATE)],
    )
    @partial(recorded, project)
    def split(context: dg.AssetExecutionContext, positives: Path) -> Iterator[Any]:
        weeks = project.window(Week.parse(context.partition_key))
        fold_of_row = folds(positives, settings.split, weeks, settings.seed)
        with staged_parts(project, positives, fold_of_row) as staged:
            apart = separate(*staged)
            order = in_order(*staged) if promises else None
            yield from stored_parts(staged, PARTS, fold_of_row)
        yield found("prepared/test", SEPARATE, apart)
        if order is not None:
            yield found("prepared/train", NO_FUTURE, order)

    return split


@contextmanager
def staged_parts(project: Project, source: Path, fold_of_row: Folds) -> Iterator[list[Path]]:
    """Give the HDF5 files of the three folds of `source`, which go with the block."""
    from collie_core.cross_validation import split_hdf5  # torch loads in the run

    with staging(project.root) as scratch:
        staged = [scratch / f"{part}.h5" for part in PARTS]
        split_hdf5(source, dict(enumerate(staged)), fold_of_row)
        yield staged


def stored_parts(
    staged: Sequence[Path], names: Sequence[str], fold_of_row: Folds
) -> Iterator[dg.Output[Any]]:
    """Yield the files of the folds as the outputs called `names`."""
    for fold, (name, path) in enumerate(zip(names, staged, strict=True)):
        share = float((fold_of_row == fold).mean())
        yield dg.Output(path.replace, name, metadata={"share": share})
