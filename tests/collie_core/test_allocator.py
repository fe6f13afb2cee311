import os
import platform
import subprocess
import sys

import pytest

from collie_core.allocator import OWN

EPOCHS = """
import resource

import numpy as np

from collie_core.interactions import Interactions, InteractionsDataLoader
from collie_core.model import CollieMinimalTrainer, MLPMatrixFactorizationModel

rng = np.random.default_rng(0)
users, items = rng.integers(0, 900, 20_000), rng.integers(0, 1_600, 20_000)
rows = Interactions(users=users, items=items, allow_missing_ids=True, seed=0)
loader = InteractionsDataLoader(rows, shuffle=True, num_workers=0)
model = MLPMatrixFactorizationModel(train=loader, embedding_dim=32, loss="adaptive")
trainer = CollieMinimalTrainer(model, max_epochs=2, gpus=0, verbosity=0)
trainer.fit(model)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
trainer.max_epochs = 6
trainer.fit(model)
print((resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before) / (4 * len(loader)))
"""


def pages_a_batch(**variables: str) -> float:
    kept = {name: value for name, value in os.environ.items() if name not in OWN}
    environment = kept | {"OMP_NUM_THREADS": "1"} | variables
    command = [sys.executable, "-c", EPOCHS]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return float(done.stdout)


@pytest.mark.slow
@pytest.mark.skipif(
    platform.libc_ver()[0] != "glibc", reason="only glibc can be told to keep what is freed"
)
def test_a_batch_takes_the_memory_that_the_one_before_has_freed() -> None:
    assert pages_a_batch() < 100
    assert pages_a_batch(MALLOC_TRIM_THRESHOLD_="131072") > 1_000, "the environment has its way"
