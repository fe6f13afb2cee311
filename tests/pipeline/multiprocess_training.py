"""A job that trains one model in a process of its own; Dagster loads it from this file there."""

import dagster as dg

from collie_pipeline.definitions import defs

MODEL = "matrix_factorization"


def job() -> dg.JobDefinition:
    ours = defs()
    training = dg.define_asset_job(
        "training",
        selection=dg.AssetSelection.assets(["models", MODEL]),
        executor_def=dg.multiprocess_executor,
    )
    made = dg.Definitions(assets=ours.assets, jobs=[training], resources=ours.resources)
    return made.resolve_job_def("training")
