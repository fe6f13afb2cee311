"""What is computed without memory, against what training really takes."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from collie_core.interactions import ExplicitInteractions, Interactions, InteractionsDataLoader
from collie_core.model import (
    ARCHITECTURES,
    BasePipeline,
    CollieMinimalTrainer,
    MatrixFactorizationModel,
)
from collie_core.model.footprint import Footprint, footprint

USERS, ITEMS, BATCH, NEGATIVES = 700, 400, 32, 3
COUNTS: dict[str, dict[str, Any]] = {
    "cold_start": {"num_item_buckets": 7},
    "hybrid": {"item_metadata_num_cols": 5, "metadata_layers_dims": [4]},
    "hybrid_pretrained": {"user_metadata_num_cols": 3},
}
MATRIX_FACTORIZATION = ARCHITECTURES["matrix_factorization"]


def real_model(name: str, train: Any, **options: Any) -> BasePipeline:
    data: dict[str, dict[str, Any]] = {
        "cold_start": {"item_buckets": np.arange(ITEMS) % 7},
        "hybrid": {"item_metadata": np.ones((ITEMS, 5)), "metadata_layers_dims": [4]},
        "hybrid_pretrained": {"user_metadata": np.ones((USERS, 3))},
    }
    own = data.get(name, {})
    if name == "hybrid_pretrained":
        own["trained_model"] = MatrixFactorizationModel(train=train)
    return ARCHITECTURES[name](train=train, **own, **options)


def trained(model: BasePipeline) -> tuple[int, int, int]:
    """Return the bytes of arrays, gradients and optimizer states after one step."""
    optimizer: Any = model.configure_optimizers()
    optimizer = optimizer["optimizer"] if isinstance(optimizer, dict) else optimizer
    torch.autograd.backward(model.calculate_loss(next(iter(model.train_dataloader()))))
    optimizer.step()
    parts = getattr(optimizer, "optimizers", [optimizer])
    states = [value for part in parts for state in part.state.values() for value in state.values()]
    gradients = [each.grad for each in model.parameters() if each.grad is not None]
    return (
        size([*model.parameters(), *model.buffers()]),
        size(gradients),
        size([each for each in states if isinstance(each, torch.Tensor)]),
    )


def size(tensors: list[torch.Tensor]) -> int:
    return sum(each.nbytes for each in tensors if not each.is_sparse)


@pytest.fixture(scope="module")
def loader() -> InteractionsDataLoader:
    rng = np.random.default_rng(0)
    interactions = Interactions(
        users=rng.integers(0, USERS, 500),
        items=rng.integers(0, ITEMS, 500),
        num_users=USERS,
        num_items=ITEMS,
        num_negative_samples=NEGATIVES,
        allow_missing_ids=True,
        seed=0,
    )
    return InteractionsDataLoader(interactions, batch_size=BATCH, num_workers=0)


def parts(found: Footprint) -> tuple[int, int, int]:
    return found.model, found.gradients, found.optimizer


@pytest.mark.parametrize("name", sorted(ARCHITECTURES))
def test_every_architecture_takes_what_its_real_arrays_take(
    name: str, loader: InteractionsDataLoader
) -> None:
    model = real_model(name, loader)
    for stage in model.hparams.get("stage_list", [None]):
        if stage is not None:
            model.set_stage(stage)  # type: ignore[operator]
        model.zero_grad(set_to_none=True)
        found = footprint(
            ARCHITECTURES[name],
            USERS,
            ITEMS,
            batch_size=BATCH,
            num_negative_samples=NEGATIVES,
            stage=stage,
            **COUNTS.get(name, {}),
        )
        assert parts(found) == trained(model)


@pytest.mark.parametrize(
    ("options", "states"),
    [
        ({"optimizer": "adam"}, 2),
        ({"optimizer": "adagrad"}, 1),
        ({"optimizer": "sgd"}, 0),
        ({"optimizer": "sparse_adam", "sparse": True}, 2),
        ({"optimizer": "adagrad", "sparse": True}, 1),
        ({"optimizer": "sgd", "sparse": True}, 0),
    ],
)
def test_an_optimizer_keeps_as_many_arrays_as_its_rule_has(
    options: dict[str, Any], states: int
) -> None:
    found = footprint(MATRIX_FACTORIZATION, USERS, ITEMS, bias_optimizer=None, **options)
    arrays = 4 * 31 * (USERS + ITEMS)
    assert found.model == arrays
    assert found.gradients == (0 if options.get("sparse") else arrays)
    assert found.optimizer == pytest.approx(states * arrays, abs=64)


def test_what_adagrad_has_before_the_first_step_counts() -> None:
    adagrad, sgd = (
        footprint(MATRIX_FACTORIZATION, USERS, ITEMS, optimizer=name, sparse=True)
        for name in ("adagrad", "sgd")
    )
    assert adagrad.batch == pytest.approx(sgd.batch, rel=0.01)


def test_a_model_that_fits_nowhere_is_measured_at_once() -> None:
    found = footprint(MATRIX_FACTORIZATION, 10**11, 10**10, embedding_dim=128)
    assert found.model == 4 * 129 * 11 * 10**10
    assert found.total > 3.9 * found.model  # all but the biases have two states


def test_the_stage_that_needs_most_is_the_one_that_counts() -> None:
    hybrid = ARCHITECTURES["hybrid"]
    each = [
        footprint(hybrid, USERS, ITEMS, stage=stage, item_metadata_num_cols=5).total
        for stage in ("matrix_factorization", "metadata_only", "all")
    ]
    assert footprint(hybrid, USERS, ITEMS, item_metadata_num_cols=5).total == max(each)
    assert len(set(each)) == 3


def test_frozen_factors_need_neither_gradients_nor_states() -> None:
    arguments: dict[str, Any] = {"embedding_dim": 16, "item_metadata_num_cols": 5}
    pretrained = ARCHITECTURES["hybrid_pretrained"]
    frozen = footprint(pretrained, USERS, ITEMS, **arguments)
    free = footprint(pretrained, USERS, ITEMS, freeze_embeddings=False, **arguments)
    assert free.gradients - frozen.gradients == 4 * 16 * (USERS + ITEMS)
    assert free.model == frozen.model


def test_measuring_leaves_the_random_state_as_it_was() -> None:
    before = torch.get_rng_state()
    footprint(MATRIX_FACTORIZATION, USERS, ITEMS, dropout_p=0.5)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("larger", [{"batch_size": 4096}, {"num_negative_samples": 40}])
def test_a_larger_batch_takes_more_and_the_model_the_same(larger: dict[str, Any]) -> None:
    small = footprint(MATRIX_FACTORIZATION, USERS, ITEMS)
    large = footprint(MATRIX_FACTORIZATION, USERS, ITEMS, **larger)
    assert large.batch == pytest.approx(4 * small.batch, rel=0.25)
    assert parts(large) == parts(small)


def test_a_gpu_takes_scratch_for_all_parameters_at_once() -> None:
    options: dict[str, Any] = {"optimizer": "adagrad", "bias_optimizer": None, "device": "cuda"}
    found = footprint(MATRIX_FACTORIZATION, 10**6, 10**6, **options)
    assert found.batch == pytest.approx(2 * found.model, rel=0.01)


@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_adam_in_one_pass_takes_no_scratch(device: str) -> None:
    found = footprint(MATRIX_FACTORIZATION, 10**6, 10**6, bias_optimizer=None, device=device)
    assert found.batch < 0.01 * found.model
    assert found.optimizer == pytest.approx(2 * found.model, rel=0.01)


def test_ratings_are_measured_with_a_loss_for_them() -> None:
    found = footprint(MATRIX_FACTORIZATION, USERS, ITEMS, num_negative_samples=None, loss="mse")
    train = ExplicitInteractions(
        users=[0], items=[0], ratings=[1], num_users=USERS, num_items=ITEMS, allow_missing_ids=True
    )
    model = MatrixFactorizationModel(train=train, loss="mse")
    assert parts(found) == trained(model)


# not ru_maxrss: a new process begins with the peak of the one that started it
MEASURED = """
import numpy
from collie_core.interactions import Interactions, InteractionsDataLoader
from collie_core.model import CollieMinimalTrainer, MatrixFactorizationModel

def train(num_users, num_items):
    data = Interactions(
        users=numpy.arange(300), items=numpy.arange(300), num_users=num_users, seed=0,
        num_items=num_items, allow_missing_ids=True, max_number_of_samples_to_consider=0,
    )
    loader = InteractionsDataLoader(data, batch_size=100, num_workers=0)
    model = MatrixFactorizationModel(train=loader, embedding_dim=64)
    CollieMinimalTrainer(model, max_epochs=1, gpus=False, verbosity=0).fit(model)

def memory(field):
    with open("/proc/self/status") as status:
        return next(1024 * int(line.split()[1]) for line in status if line.startswith(field))

train(300, 300)
before = memory("VmRSS:")
train(150_000, 50_000)
print(memory("VmHWM:") - before)
"""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="no /proc to read memory from")
def test_a_real_training_peaks_within_a_quarter_of_it() -> None:
    expected = footprint(
        MATRIX_FACTORIZATION, 150_000, 50_000, embedding_dim=64, batch_size=100
    ).total
    done = subprocess.run(
        [sys.executable, "-c", MEASURED], capture_output=True, text=True, check=True
    )
    assert int(done.stdout) == pytest.approx(expected, rel=0.25)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU here")
def test_a_real_training_on_a_gpu_peaks_within_a_quarter_of_it() -> None:
    interactions = Interactions(
        users=np.arange(300),
        items=np.arange(300),
        num_users=600_000,
        num_items=200_000,
        allow_missing_ids=True,
        max_number_of_samples_to_consider=0,
        seed=0,
    )
    model = MatrixFactorizationModel(train=interactions, embedding_dim=64)
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated()
    CollieMinimalTrainer(model, max_epochs=2, gpus=True, verbosity=0).fit(model)
    peak = torch.cuda.max_memory_allocated() - before
    found = footprint(MATRIX_FACTORIZATION, 600_000, 200_000, embedding_dim=64, device="cuda")
    assert peak == pytest.approx(found.total, rel=0.25)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"num_users": 0}, ValueError, "num_users is 0"),
        ({"num_items": 0}, ValueError, "num_items is 0"),
        ({"batch_size": 0}, ValueError, "batch_size is 0"),
        ({"num_negative_samples": 0}, ValueError, "num_negative_samples is 0"),
        ({"item_buckets": [0, 1]}, TypeError, "item_buckets.*num_item_buckets"),
        ({"embeding_dim": 4}, TypeError, "embeding_dim.*embedding_dim"),
        ({"dropout_p": 2}, ValueError, "dropout_p is 2"),
        ({"optimizer": "adm"}, ValueError, "adm"),
    ],
)
def test_wrong_arguments_are_refused(
    arguments: dict[str, Any], error: type[Exception], message: str
) -> None:
    counts = {"num_users": USERS, "num_items": ITEMS}
    with pytest.raises(error, match=message):
        footprint(MATRIX_FACTORIZATION, **{**counts, **arguments})


def test_unknown_stage_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown stage 'last'"):
        footprint(ARCHITECTURES["cold_start"], USERS, ITEMS, stage="last", num_item_buckets=3)
