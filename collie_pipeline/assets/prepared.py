"""prepared: from rows as read to a split window, encoded, on disk."""

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import dagster as dg
import pandas as pd

from collie_pipeline.assets.common import asset, described, of, of_window
from collie_pipeline.charts import bars
from collie_pipeline.preparation import REASONS, clean, folds, implicit, write_hdf5
from collie_pipeline.project import Project
from collie_pipeline.weeks import Week

CODE = "collie_pipeline/preparation"
FEW_REFUSED = "few_rows_refused"
PARTS = ("train", "validation", "test")


def assets(project: Project) -> Sequence[dg.AssetsDefinition]:
    """Return the assets of this stage."""
    return [clean_and_quarantine(project), encoded(project), hdf5(project), parts(project)]


def _out(project: Project, key: str, description: str, kind: str) -> dg.AssetOut:
    shared = described(project, key, description, {kind}, CODE)
    del shared["partitions_def"]
    return dg.AssetOut(**shared, io_manager_key=kind)


def clean_and_quarantine(project: Project) -> dg.AssetsDefinition:
    """Return `prepared/clean` and `prepared/quarantine`."""
    allowed = project.settings.prepare.max_quarantined_share

    @dg.multi_asset(
        name="prepared__clean",
        outs={
            "clean": _out(project, "prepared/clean", "The week's sound rows, typed.", "parquet"),
            "quarantine": _out(
                project, "prepared/quarantine", "The week's refused rows, with reasons.", "parquet"
            ),
        },
        ins={"raw": of("raw/interactions")},
        partitions_def=project.partitions,
        check_specs=[dg.AssetCheckSpec(FEW_REFUSED, asset=["prepared", "clean"], blocking=True)],
    )
    def clean_week(context: dg.AssetExecutionContext, raw: pd.DataFrame) -> Iterator[Any]:
        week = Week.parse(context.partition_key)
        sound, refused = clean(raw, week, project.source.mode, project.source.time_unit)
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
        yield dg.AssetCheckResult(
            check_name=FEW_REFUSED,
            asset_key=["prepared", "clean"],
            passed=share <= allowed,
            description=f"{len(refused)} of {len(raw)} rows were refused, at most {allowed:.1%} "
            "may be: see prepared/quarantine, or raise prepare.max_quarantined_share",
            metadata={"quarantined_share": share},
        )

    return clean_week


def encoded(project: Project) -> dg.AssetsDefinition:
    """Return `prepared/implicit`."""
    prepare = project.settings.prepare

    @asset(
        project,
        "prepared/implicit",
        "The window's positives, by outside id: one row a user and an item.",
        {"parquet"},
        CODE,
        ins={"window": of_window("prepared/clean", project)},
        io_manager_key="parquet",
    )
    def positives(context: dg.AssetExecutionContext, window: pd.DataFrame) -> pd.DataFrame:
        found = implicit(
            window,
            prepare.min_rating,
            prepare.min_user_interactions,
            prepare.min_item_interactions,
        )
        users, items = len(found.user_ids), len(found.item_ids)
        context.add_output_metadata(
            {
                "clean_rows": len(window),
                "users": users,
                "items": items,
                "density": found.num_interactions / (users * items),
            }
        )
        return found.table()

    return positives


def hdf5(project: Project) -> dg.AssetsDefinition:
    """Return `prepared/hdf5`."""

    @asset(
        project,
        "prepared/hdf5",
        "The window's positives with integers for ids, in a file that is read by chunks.",
        {"hdf5"},
        CODE,
        ins={"positives": of("prepared/implicit")},
        io_manager_key="hdf5",
    )
    def positives_on_disk(positives: pd.DataFrame) -> Any:
        return partial(write_hdf5, positives)

    return positives_on_disk


def parts(project: Project) -> dg.AssetsDefinition:
    """Return `prepared/train`, `prepared/validation` and `prepared/test`."""
    settings = project.settings
    method = settings.split.method

    @dg.multi_asset(
        name="prepared__split",
        outs={
            part: _out(
                project,
                f"prepared/{part}",
                f"The {part} part of the window, split by {method}.",
                "hdf5",
            )
            for part in PARTS
        },
        ins={"positives": of("prepared/hdf5")},
        partitions_def=project.partitions,
    )
    def split(context: dg.AssetExecutionContext, positives: Path) -> Iterator[Any]:
        from collie_core.cross_validation import split_hdf5

        weeks = project.window(Week.parse(context.partition_key))
        fold_of_row = folds(positives, settings.split, weeks, settings.seed)
        with TemporaryDirectory(dir=project.root) as scratch:
            staged = [Path(scratch, f"{part}.h5") for part in PARTS]
            split_hdf5(positives, dict(enumerate(staged)), fold_of_row)
            for fold, (part, path) in enumerate(zip(PARTS, staged, strict=True)):
                share = float((fold_of_row == fold).mean())
                yield dg.Output(path.replace, part, metadata={"share": share})

    return split
