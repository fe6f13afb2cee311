"""Numbers are made with as many threads as the settings say, whatever the machine has."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import numpy as np
import pytest
import torch
from small_project import small_settings
from threadpoolctl import threadpool_info, threadpool_limits

from collie_core.baselines import EASE
from collie_core.interactions import Interactions
from collie_pipeline.assets.common import COMPUTED, asset
from collie_pipeline.project import Project
from collie_pipeline.settings import SettingsError
from collie_pipeline.threads import on_threads, threads

STAGES = ("raw", "prepared", "models", "evaluation", "recommendations")


def in_use() -> set[int]:
    """Return the numbers of threads that torch and the BLAS libraries use now."""
    blas = {each["num_threads"] for each in threadpool_info() if each["user_api"] == "blas"}
    return {torch.get_num_threads(), *blas}


@pytest.fixture
def outside() -> Iterator[int]:
    """Have another number of threads outside, as another machine has."""
    before = torch.get_num_threads()
    with threadpool_limits(3):
        torch.set_num_threads(3)
        yield 3
        torch.set_num_threads(before)


def test_a_block_has_its_number_and_gives_the_old_one_back(outside: int) -> None:
    with threads(2):
        assert in_use() == {2}
    assert in_use() == {outside}
    with pytest.raises(ZeroDivisionError), threads(2):
        raise ZeroDivisionError
    assert in_use() == {outside}


def test_functions_and_generators_run_inside_of_it(outside: int) -> None:
    def generated() -> Iterator[set[int]]:
        yield in_use()
        yield in_use()

    assert on_threads(2, in_use)() == {2}
    assert list(on_threads(2, generated)()) == [{2}, {2}]
    assert in_use() == {outside}


@pytest.mark.parametrize("stage", STAGES)
def test_assets_that_compute_use_the_number_in_the_settings(
    stage: str, outside: int, tmp_path: Path
) -> None:
    project = Project(small_settings(tmp_path, threads=2))
    seen: list[set[int]] = []

    @asset(project, f"{stage}/probe", "Looks at its threads.", {"python"}, "collie_pipeline")
    def probe(context: dg.AssetExecutionContext) -> dg.MaterializeResult[Any]:
        seen.append(in_use())
        return dg.MaterializeResult(metadata={"week": context.partition_key})

    with dg.DagsterInstance.ephemeral() as instance:
        dg.materialize([probe], partition_key=project.week().key, instance=instance)
    assert seen == [{2 if stage in COMPUTED else outside}]


@pytest.mark.usefixtures("outside")
def test_ease_is_the_same_on_another_machine() -> None:
    rows = np.random.default_rng(0).integers(0, 400 * 300, 8_000)
    data = Interactions(
        users=rows // 300, items=rows % 300, num_users=400, num_items=300, allow_missing_ids=True,
        remove_duplicate_user_item_pairs=True,
    )  # fmt: skip
    with threads(2):
        weights = EASE.fit(data).weights
    with threadpool_limits(1):
        torch.set_num_threads(1)
        again = on_threads(2, EASE.fit)(data).weights
    assert np.array_equal(weights, again)


@pytest.mark.parametrize("count", [0, 65, "all"])
def test_a_wrong_number_of_threads_is_refused(count: object, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="COLLIE_THREADS"):
        small_settings(tmp_path, threads=count)
