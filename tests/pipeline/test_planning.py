from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from rich.console import Console
from small_project import small_settings

from collie_core.baselines import EASE, ItemKNN
from collie_core.baselines.ease import memory_bytes
from collie_core.interactions import Interactions
from collie_core.model import ARCHITECTURES
from collie_core.model.footprint import footprint
from collie_core.utils import pandas_df_to_hdf5
from collie_pipeline.needs import GPU_MEMORY, MEMORY, Counts, Need, needed
from collie_pipeline.planning import (
    WAYS_OUT,
    at_most,
    available,
    counts_in,
    in_full,
    in_words,
    plan_table,
    refuse_what_does_not_fit,
    slow,
)
from collie_pipeline.settings import Settings

GIB = 1 << 30
SMALL = Counts(120, 80, 2_000)
LARGE = Counts(50_000_000, 300_000, 2_000_000_000)
STAGES = ("cold_start/item_buckets", "cold_start/no_buckets", "hybrid/metadata_only", "hybrid/all")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return small_settings(tmp_path)


@pytest.mark.parametrize(
    "name", ["popularity", "item_knn", "ease", *sorted(ARCHITECTURES), *STAGES]
)
@pytest.mark.parametrize("device", ["cpu", "mps", "cuda"])
def test_every_model_and_stage_needs_something_and_can_be_helped(
    settings: Settings, name: str, device: str
) -> None:
    need = needed(name, settings, SMALL, device)
    assert need.total(MEMORY) > 0
    assert {part for parts in need.parts.values() for part in parts} <= WAYS_OUT.keys()
    trains_on_gpu = device == "cuda" and name not in ("popularity", "item_knn", "ease")
    assert (need.total(GPU_MEMORY) > 0) == trains_on_gpu


def test_a_model_needs_its_footprint_with_the_settings_own_values(settings: Settings) -> None:
    parts = needed("matrix_factorization", settings, SMALL).parts[MEMORY]
    found = footprint(
        ARCHITECTURES["matrix_factorization"],
        120,
        80,
        embedding_dim=4,
        batch_size=64,
        num_negative_samples=1,
        bias_optimizer=None,
        loss="full_softmax",
        dropout_p=0.5,
        l2=0.07,
    )
    assert parts["model"] == found.model == 4 * 5 * (120 + 80)
    assert parts["gradients"] == found.gradients
    assert parts["optimizer"] == found.optimizer
    assert parts["best weights"] == found.model


def test_weights_of_ease_are_four_bytes_for_each_two_items(settings: Settings) -> None:
    small, large = (
        needed("ease", settings, Counts(10, items, 10)).parts[MEMORY]["weights"]
        for items in (50_000, 100_000)
    )
    assert large - small == 4 * (100_000**2 - 50_000**2)


@pytest.mark.parametrize("name", ["ease", "item_knn"])
def test_what_is_kept_of_a_baseline_fits_in_what_was_planned(settings: Settings, name: str) -> None:
    rng = np.random.default_rng(0)
    users, items = rng.integers(0, 200, 8_000), rng.integers(0, 600, 8_000)
    train = Interactions(
        users=users, items=items, num_users=200, num_items=600, allow_missing_ids=True, seed=0
    )
    model = EASE.fit(train) if name == "ease" else ItemKNN.fit(train)
    kept = sum(each.nbytes for each in model.tensors().values())
    planned = needed(name, settings, Counts(200, 600, len(train)))
    assert kept <= planned.total(MEMORY) <= 20 * kept


def test_what_fits_is_not_refused(settings: Settings) -> None:
    need = refuse_what_does_not_fit("matrix_factorization", settings, SMALL)
    assert need == needed("matrix_factorization", settings, SMALL)


def test_what_needs_the_last_byte_fits_and_one_less_does_not(settings: Settings) -> None:
    total = needed("ease", settings, SMALL).total(MEMORY)
    refuse_what_does_not_fit("ease", settings, SMALL, have={MEMORY: total})
    with pytest.raises(ValueError, match="ease with 120 users and 80 items needs"):
        refuse_what_does_not_fit("ease", settings, SMALL, have={MEMORY: total - 1})


@pytest.mark.parametrize(
    ("name", "counts", "models", "message"),
    [
        ("ease", Counts(10, 300_000, 10), {}, r"must fit in 8\.0 GiB: use item_knn .*335\.3 GiB"),
        ("matrix_factorization", LARGE, {}, "lower window_weeks.*interactions"),
        (
            "matrix_factorization",
            Counts(300_000_000, 10, 10),
            {},
            "lower the model's embedding_dim.*optimizer",
        ),
        (
            "matrix_factorization",
            Counts(10, 10, 10),
            {
                "matrix_factorization": {
                    "loss": "warp",
                    "batch_size": 10**7,
                    "num_negative_samples": 100,
                }
            },
            "lower the model's batch_size",
        ),
        (
            "matrix_factorization",
            Counts(10, 10_000, 10),
            {"matrix_factorization": {"loss": "full_softmax", "batch_users": 10**6}},
            "lower the model's batch_size .batch_users.",
        ),
        ("popularity", Counts(10, 10_000_000, 10), {}, "raise prepare.min_item_inter.*scores"),
        (
            "item_knn",
            Counts(10, 400_000, 10),
            {"item_knn": {"neighbours": 2_000}},
            "lower models.item_knn.neighbours.*similarity",
        ),
    ],
)
def test_what_cannot_fit_is_refused_with_the_way_out_of_its_largest_part(
    tmp_path: Path, name: str, counts: Counts, models: dict[str, Any], message: str
) -> None:
    settings = small_settings(tmp_path, models=models)
    with pytest.raises(ValueError, match=message):
        refuse_what_does_not_fit(name, settings, counts, have={MEMORY: 8 * GIB})


def test_what_only_a_gpu_has_no_room_for_may_go_to_the_cpu(settings: Settings) -> None:
    counts = Counts(20_000_000, 1_000, 1_000)
    have = {MEMORY: 64 * GIB, GPU_MEMORY: GIB}
    with pytest.raises(ValueError, match=r"of GPU memory, must fit in 1\.0 GiB: .*device = 'cpu'"):
        refuse_what_does_not_fit("matrix_factorization", settings, counts, "cuda", have)
    refuse_what_does_not_fit("matrix_factorization", settings, counts, "cpu", have)
    refuse_what_does_not_fit("popularity", settings, counts, "cuda", have)


def test_a_loss_over_too_many_items_is_named_with_the_way_out(settings: Settings) -> None:
    full = settings.models.matrix_factorization.model_copy(update={"loss": "full_softmax"})
    models = settings.models.model_copy(update={"matrix_factorization": full})
    chosen = settings.model_copy(update={"models": models})
    said = slow("matrix_factorization", chosen, Counts(50, 10_001, 2_000))
    assert "10,001 items" in said
    assert "models.matrix_factorization.loss = 'full_softmax'" in said
    assert "'softmax'" in said
    assert not slow("matrix_factorization", chosen, Counts(50, 10_000, 2_000))
    assert not any(slow(name, chosen, LARGE) for name in ("popularity", "item_knn", "ease"))
    drawn = settings.models.hybrid
    assert not drawn.is_of_all_items
    assert not slow("hybrid/all", chosen, LARGE)


def test_unknown_model_is_refused(settings: Settings) -> None:
    with pytest.raises(ValueError, match="unknown model 'svd'"):
        needed("svd", settings, SMALL)


def test_the_machine_has_the_memory_that_ease_reckons_with() -> None:
    assert available() == {MEMORY: memory_bytes()}


def test_counts_are_those_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "train.h5"
    columns: Any = {"user_id": [0, 4, 4], "item_id": [1, 0, 2]}
    pandas_df_to_hdf5(pd.DataFrame(columns), path, num_users=7, num_items=5)
    assert counts_in(path) == Counts(7, 5, 3)
    assert counts_in(path, num_buckets=2).num_buckets == 2


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "train.h5").write_bytes(b"\x89HDF\r\n\x1a\n")
    with pytest.raises(ValueError, match=r"train\.h5.*cut short"):
        counts_in(tmp_path / "train.h5")


def test_the_plan_has_every_configured_model_and_what_there_is(settings: Settings) -> None:
    console = Console(width=120, record=True, file=StringIO())
    console.print(plan_table(settings, SMALL, "cuda", {MEMORY: 3 * GIB, GPU_MEMORY: 5 * GIB}))
    said = console.export_text()
    for name in (*settings.models.names, "3.0 GiB", "5.0 GiB", "2,000 interactions"):
        assert name in said


def test_a_part_that_is_largest_is_found_by_kind_of_memory() -> None:
    need = Need("any", {MEMORY: {"model": 1, "scores": 2}, GPU_MEMORY: {"model": 3}})
    assert (need.largest(MEMORY), need.largest(GPU_MEMORY)) == ("scores", "model")
    assert (need.total(MEMORY), need.total(GPU_MEMORY), need.total("disk")) == (3, 3, 0)


def test_a_need_is_said_with_all_its_parts_the_largest_first() -> None:
    need = Need("any", {MEMORY: {"model": 1024, "scores": 2048}, GPU_MEMORY: {"model": 3}})
    assert in_full(need) == (
        "any needs 3.0 KiB of memory (scores 2.0 KiB, model 1.0 KiB) "
        "and 3 bytes of GPU memory (model 3 bytes)"
    )
    other = Need("other", {MEMORY: {"model": 1 << 20}})
    assert at_most([need, other]) == {MEMORY: 1.0, GPU_MEMORY: 3 / (1 << 20)}


@pytest.mark.parametrize(
    ("size", "words"),
    [
        (0, "0 bytes"),
        (1023, "1023 bytes"),
        (1024, "1.0 KiB"),
        (GIB, "1.0 GiB"),
        (GIB * 1536, "1.5 TiB"),
    ],
)
def test_bytes_are_said_in_the_unit_that_fits(size: int, words: str) -> None:
    assert in_words(size) == words
