"""How long a big model takes to save and to load, and how much memory, as a folder and a file.

Each run is a fresh process, whose memory is its peak above what the imports took, the model itself
included. Saving starts from a model in memory, and ends when the disk has it.

    python benchmarks/bundle.py [FOLDER_TO_WRITE_IN]
"""

import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch

from collie_core.bundle import load_model, read_bundle, save_bundle
from collie_core.model import MatrixFactorizationModel

USERS, ITEMS, FACTORS, RUNS = 1_000_000, 100_000, 32, 3
SIZE_BYTES = 4 * (USERS + ITEMS) * (FACTORS + 1)
CONFIG = {
    "num_users": USERS,
    "num_items": ITEMS,
    "embedding_dim": FACTORS,
    "dropout_p": 0.0,
    "sparse": False,
    "y_range": None,
}


def generated() -> MatrixFactorizationModel:
    """Return a model of random arrays."""
    tensors = {}
    for side, count in (("user", USERS), ("item", ITEMS)):
        tensors[f"{side}_embeddings.weight"] = torch.rand(count, FACTORS)
        tensors[f"{side}_biases.weight"] = torch.rand(count, 1)
    return MatrixFactorizationModel.from_tensors(CONFIG, tensors)


def peak_bytes() -> int:
    """Return the most memory this process has had so far."""
    return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def measured(task: str, path: Path) -> tuple[float, float]:
    """Return the seconds of `task`, and its memory as a multiple of the model's size."""
    before = peak_bytes()
    model = generated() if task == "save" else None
    began = time.perf_counter()
    if model is not None:
        save_bundle(model, path)
    else:
        {"load": load_model, "read": read_bundle}[task](path)
    return time.perf_counter() - began, (peak_bytes() - before) / SIZE_BYTES


def in_a_new_process(task: str, path: Path) -> tuple[float, float]:
    """Return what `measured` says there."""
    command = [sys.executable, __file__, task, str(path)]
    seconds, memory = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    return seconds, memory


def main() -> None:
    """Print the medians of a few runs of each."""
    print(f"{USERS} users, {ITEMS} items, {FACTORS} factors: {SIZE_BYTES / 1e6:.0f} MB")
    with tempfile.TemporaryDirectory(dir=sys.argv[1] if len(sys.argv) > 1 else None) as folder:
        for kind, name in (("folder", "model"), ("file", "model.pth")):
            for task in ("save", "read", "load"):
                runs = [in_a_new_process(task, Path(folder, name)) for _ in range(RUNS)]
                seconds, memory = (statistics.median(column) for column in zip(*runs, strict=True))
                print(f"{task} a {kind:6}  {seconds:.2f} s  {memory:.2f} x the model's size")


if __name__ == "__main__":
    if len(sys.argv) == 3:
        print(json.dumps(measured(sys.argv[1], Path(sys.argv[2]))))
    else:
        main()
