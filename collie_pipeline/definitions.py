"""The one `Definitions` object: composition, and nothing else."""

import warnings

import dagster as dg

from collie_pipeline.assets import all_assets
from collie_pipeline.automation import sensors, weekly_schedule, with_freshness, without_failed
from collie_pipeline.automation.common import Job
from collie_pipeline.project import Project
from collie_pipeline.resources import Device
from collie_pipeline.settings import load_settings
from collie_pipeline.storage import BundleIO, Hdf5IO, PageIO, ParquetIO
from collie_pipeline.unchanged import TUNING

INGEST = ("raw/interactions", "prepared/clean", "prepared/quarantine")


def make_definitions(project: Project) -> dg.Definitions:
    """Return the definitions of `project`."""
    # Owners, kinds and checks are marked beta or preview, and would warn in every process.
    warnings.filterwarnings("ignore", category=dg.BetaWarning)
    warnings.filterwarnings("ignore", category=dg.PreviewWarning)
    root = str(project.root.resolve())
    weekly = dg.define_asset_job(
        "weekly",
        selection=dg.AssetSelection.all() - dg.AssetSelection.groups(TUNING),
        description="Everything, for one week whose window is there.",
    )
    ingest = dg.define_asset_job(
        "ingest",
        selection=dg.AssetSelection.assets(*[key.split("/") for key in INGEST]),
        description="Only the week's rows: what a later week's window needs of it.",
    )
    tuning = dg.define_asset_job(
        TUNING,
        selection=dg.AssetSelection.groups(TUNING),
        description="The search for better settings, for one week that is prepared.",
    )
    makers: list[Job] = [weekly, ingest, without_failed(project)]
    return dg.Definitions(
        assets=with_freshness(all_assets(project), project.settings.automation),
        jobs=[*makers, *([tuning] if project.settings.tuning.models else [])],
        schedules=[weekly_schedule(project, weekly)],
        sensors=sensors(project, makers),
        resources={
            "parquet": ParquetIO(root=root),
            "hdf5": Hdf5IO(root=root),
            "bundle": BundleIO(root=root),
            "page": PageIO(root=root),
            "device": Device(kind=project.settings.device),
        },
        executor=dg.in_process_executor,
    )


@dg.definitions
def defs() -> dg.Definitions:
    """Return the definitions that the settings of this process ask for."""
    return make_definitions(Project(load_settings()))
