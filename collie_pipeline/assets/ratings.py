"""prepared/ratings and its parts: only where a model is to learn ratings."""

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import dagster as dg
import pandas as pd

from collie_pipeline.assets.checks import found, promised
from collie_pipeline.assets.common import IDS, asset, of, of_window, recorded
from collie_pipeline.assets.prepared import (
    CODE,
    NO_FUTURE,
    PARTS,
    SEPARATE,
    out,
    staged_parts,
    stored_parts,
)
from collie_pipeline.charts import bars
from collie_pipeline.checking import in_order, separate
from collie_pipeline.model_settings import explicit_models
from collie_pipeline.preparation import rating_folds, ratings, write_ratings
from collie_pipeline.project import Project

NO_TEST_PAIRS = "no_test_pairs"
NAMES = tuple(f"ratings_{part}" for part in PARTS)


def assets(project: Project) -> Sequence[dg.AssetsDefinition]:
    """Return the assets of this module: none, unless a model that the settings name wants them."""
    return [rated(project), parts(project)] if explicit_models(project.settings) else []


def rated(project: Project) -> dg.AssetsDefinition:
    """Return `prepared/ratings`."""

    @asset(
        project,
        "prepared/ratings",
        "The window's latest rating of each pair, low ones too, of the users and items of "
        "prepared/hdf5.",
        {"hdf5"},
        CODE,
        ins={"window": of_window("prepared/clean", project, IDS), "positives": of("prepared/hdf5")},
        io_manager_key="hdf5",
    )
    def ratings_on_disk(
        context: dg.AssetExecutionContext, window: pd.DataFrame, positives: Path
    ) -> Any:
        try:
            table = ratings(window, positives)
        except ValueError as error:
            names = " and ".join(f"models.{n}.loss" for n in explicit_models(project.settings))
            said = f"{error}: set {names} to a loss without ratings, such as 'warp'"
            raise dg.Failure(said, allow_retries=False) from None
        counts = table["rating"].round().value_counts().sort_index()
        context.add_output_metadata({"by_rating": dg.MetadataValue.md(bars(list(counts.items())))})
        return partial(write_ratings, table, positives)

    return ratings_on_disk


def parts(project: Project) -> dg.AssetsDefinition:
    """Return `prepared/ratings_train`, and likewise `_validation` and `_test`."""
    settings = project.settings
    train, _, test = (f"prepared/{name}" for name in NAMES)
    is_by_time = settings.split.method == "time"
    promises = promised(train, NO_TEST_PAIRS, *([NO_FUTURE] if is_by_time else []))

    @dg.multi_asset(
        name="prepared__ratings_split",
        outs={
            name: out(
                project,
                f"prepared/{name}",
                f"The {part} part of the ratings, parted as the positives are.",
                "hdf5",
            )
            for name, part in zip(NAMES, PARTS, strict=True)
        },
        ins={"rated": of("prepared/ratings"), **{part: of(f"prepared/{part}") for part in PARTS}},
        partitions_def=project.partitions,
        check_specs=[*promises, *promised(test, SEPARATE)],
    )
    @partial(recorded, project)
    def split(rated: Path, **positives: Path) -> Iterator[Any]:
        known = [positives[part] for part in PARTS]
        fold_of_row = rating_folds(rated, known, settings.split, settings.seed)
        with staged_parts(project, rated, fold_of_row) as staged:
            findings = [
                found(test, SEPARATE, separate(*staged)),
                found(train, NO_TEST_PAIRS, separate(*staged[:2], positives["test"])),
            ]
            if is_by_time:
                findings.append(found(train, NO_FUTURE, in_order(*staged)))
            yield from stored_parts(staged, NAMES, fold_of_row)
        yield from findings

    return split
