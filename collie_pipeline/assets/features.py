"""prepared/item_features: what is known of items, as numbers, for every model that wants it."""

from collections.abc import Sequence
from pathlib import Path

import dagster as dg
import pandas as pd

from collie_pipeline.assets.common import asset, of
from collie_pipeline.charts import bars
from collie_pipeline.preparation import item_features, read_ids
from collie_pipeline.project import Project

CODE = "collie_pipeline/preparation"


def assets(project: Project) -> Sequence[dg.AssetsDefinition]:
    """Return the asset of this module."""
    chosen = project.settings.features

    @asset(
        project,
        "prepared/item_features",
        "Genres and other features of the window's items as numbers, and the bucket of each.",
        {"parquet"},
        CODE,
        ins={"items": of("raw/items"), "positives": of("prepared/hdf5")},
        io_manager_key="parquet",
        metadata={"bucket": chosen.bucket},
    )
    def features(
        context: dg.AssetExecutionContext, items: pd.DataFrame, positives: Path
    ) -> pd.DataFrame:
        item_ids = read_ids(positives)[1].tolist()
        table = item_features(items, item_ids, chosen.columns, chosen.bucket)
        buckets = table["bucket"].value_counts().head(30)
        context.add_output_metadata(
            {
                "features": table.shape[1] - 2,
                "buckets": int(table["bucket"].nunique()),
                "items_by_bucket": dg.MetadataValue.md(bars(list(buckets.items()))),
            }
        )
        return table

    return [features]
