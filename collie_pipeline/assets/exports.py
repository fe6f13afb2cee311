"""recommendations, elsewhere: what serves, put where the settings say beside its folder."""

from collections.abc import Iterator, Sequence
from typing import Any

import dagster as dg
import pandas as pd

from collie_pipeline.assets.checks import found, promised
from collie_pipeline.assets.common import asset, of
from collie_pipeline.checking import Finding
from collie_pipeline.exports import targets
from collie_pipeline.project import Project
from collie_pipeline.storage import find

KEY, AS_PUBLISHED = "recommendations/exports", "exported_as_published"
AGAIN = dg.RetryPolicy(max_retries=2, delay=2, backoff=dg.Backoff.EXPONENTIAL)
COLUMNS = ("target", "publication", "table", "rows", "seconds")


def assets(project: Project) -> Sequence[dg.AssetsDefinition]:
    """Return the asset of this stage, if the settings export anything.

    Raises
    ------
    ValueError
        If an export cannot work, which is better known before a week is made than after.
    """
    return [exports(project)] if targets(project.settings) else []


def exports(project: Project) -> dg.AssetsDefinition:
    """Return `recommendations/exports`."""
    named = [target.name for target in targets(project.settings)]

    @asset(
        project,
        KEY,
        f"The publication that serves, in {', '.join(named)}, each replaced in one step.",
        {"parquet"},
        "collie_pipeline.exports",
        ins={"published": of("recommendations/publication")},
        io_manager_key="parquet",
        retry_policy=AGAIN,
        check_specs=promised(KEY, AS_PUBLISHED),
    )
    def exported(published: pd.DataFrame) -> Iterator[Any]:
        from collie_pipeline.exports import NotServingError, compared, export

        name = str(published["publication"].iloc[0])
        publication = find(project.root, name)
        if publication is None:
            raise ValueError(f"{name} is not there any more: make the week again with `collie run`")
        try:
            done = export(publication, project.settings)
        except NotServingError as error:  # an older week, or one that a later run has overtaken
            yield dg.Output(pd.DataFrame(columns=COLUMNS).astype({"rows": "int64"}))
            yield found(KEY, AS_PUBLISHED, Finding(True, f"nothing was exported: {error}"))
            return
        rows = [
            (each.target, each.publication, table, count, each.seconds)
            for each in done
            for table, count in each.rows.items()
        ]
        yield dg.Output(
            pd.DataFrame(rows, columns=COLUMNS),
            metadata={f"{each.target}_seconds": each.seconds for each in done},
        )
        yield found(KEY, AS_PUBLISHED, compared(done, project.settings))

    return exported
