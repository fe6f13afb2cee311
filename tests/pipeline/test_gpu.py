"""Training through the pipeline's assets on a GPU, where there is one."""

from pathlib import Path

import dagster as dg
import pytest
import torch
from rich.console import Console
from small_project import small_settings

from collie_pipeline.project import Project
from collie_pipeline.running import run_week
from collie_pipeline.storage import current

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="this machine has no CUDA GPU"),
]


def test_models_are_trained_on_the_gpu_and_published(tmp_path: Path) -> None:
    few = {"names": ["popularity", "matrix_factorization"]}
    project = Project(small_settings(tmp_path / "data", models=few))
    torch.cuda.reset_peak_memory_stats()
    run_week(project, project.span[0], Console(quiet=True))
    assert torch.cuda.max_memory_allocated() > 0
    with dg.DagsterInstance.get() as instance:
        key = dg.AssetKey(["models", "matrix_factorization"])
        made = instance.get_latest_materialization_event(key)
    assert made is not None
    assert made.asset_materialization is not None
    assert made.asset_materialization.metadata["device"].value == "cuda"
    assert current(project.root) is not None
