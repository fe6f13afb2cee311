"""What the machine can do, and how near to it the main subjects come.

    python benchmarks/floors.py [--threads 1]

A floor is what cannot be left out: bytes that must be moved, at the speed of a copy, or the
multiplications, at that of a large matrix product, whichever takes longer. Hardly anything reaches
it: rows of a table are gathered, not streamed, and to draw a random number moves nothing. Only
tables that fit into a cache, as those of `epoch` do, are moved faster than a copy of 256 MiB.
"""

import argparse
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks import data
from benchmarks.harness import alternated
from benchmarks.subjects import SUBJECTS

FACTORS, BATCH, NEGATIVES = 32, 1024, 10
REPEATS = 5


@dataclass(frozen=True)
class Machine:
    """Bytes copied, read and written both counted, and float32 operations, in a CPU second."""

    bandwidth: float
    flops: float

    @classmethod
    def measured(cls, threads: int) -> "Machine":
        """Return the best of a few copies of 256 MiB, and of products of 2048 x 2048."""
        torch.set_num_threads(threads)
        source = torch.ones(64 << 20)
        target, square = torch.empty_like(source), torch.ones(2048, 2048)
        copied = _least(lambda: target.copy_(source))
        multiplied = _least(lambda: square @ square)
        return cls(2 * 4 * len(source) / copied, 2 * 2048**3 / multiplied)

    def seconds(self, moved: float, flops: float) -> float:
        """Return the longer of moving so many bytes and of so many operations."""
        return max(moved / self.bandwidth, flops / self.flops)


def _least(work: Callable[[], object]) -> float:
    def once() -> float:
        began = time.process_time()
        work()
        return time.process_time() - began

    return min(once() for _ in range(REPEATS))


@dataclass(frozen=True)
class Size:
    """How large a data set is."""

    rows: int
    users: int
    items: int


def needs(size: Size) -> Mapping[str, tuple[float, float]]:
    """Return the bytes and the operations of the main subjects on data of `size`."""
    rows, scores = size.rows, size.users * size.items
    drawn, row = rows * (1 + NEGATIVES), 4 * (FACTORS + 1)
    tables = (size.users + size.items) * row
    return {
        # both columns are read and written, and the keys once more for the samplers
        "construction": (8.0 * rows * 3, 0.0),
        # the file's columns are read; users, items and negatives are written as int64
        "hdf5": (16.0 * rows + 8.0 * (rows + drawn), 0.0),
        "loader": (8.0 * rows + 8.0 * (rows + drawn), 0.0),
        # a gather and a scattered gradient of each row; Adam reads four tables and writes three
        "epoch": (
            2 * 2 * row * (rows + drawn) + 7.0 * tables * rows / BATCH,
            3 * 2.0 * FACTORS * drawn,
        ),
        # every score is written and read once
        "evaluation": (2 * 4.0 * scores, 2.0 * FACTORS * scores),
        # the inverse of a symmetric matrix, by Cholesky's factors
        "ease": (3 * 4.0 * size.items**2, 1.0 * size.items**3),
    }


def of_top_n() -> tuple[float, float]:
    """Return the bytes and the operations of ranking 10,000 users x 50,000 items, 64 factors."""
    scores = 10_000 * 50_000
    return 2 * 4.0 * scores, 2.0 * 64 * scores


def floors(threads: int, machine: Machine) -> Iterator[str]:
    """Yield a line a subject: its floor beside what ours takes."""
    for name in ("construction", "hdf5", "loader", "epoch", "evaluation", "ease", "top_n"):
        subject = SUBJECTS[name]
        dataset = subject.datasets[-1]
        taken = alternated({"ours": subject.work}, dataset, 2, threads)["ours"]
        if taken.missing:
            yield f"{name:14} {dataset:12} {taken.missing}"
            continue
        moved, flops = of_top_n() if name == "top_n" else needs(_size(dataset, name))[name]
        floor, seconds = machine.seconds(moved, flops), taken.middle("cpu")
        yield (
            f"{name:14} {dataset:12} {moved / 1e9:8.3f} {flops / 1e9:8.2f} {floor:9.4f} "
            f"{seconds:8.3f} {seconds / floor:7.1f}x"
        )


def _size(dataset: str, name: str) -> Size:
    arrays = np.load(data.made(dataset))
    part = "" if name in ("construction", "hdf5") else "train_"
    users, items = (int(arrays[side].max()) + 1 for side in ("users", "items"))
    return Size(len(arrays[f"{part}users"]), users, items)


def main() -> None:
    """Measure the machine, then print the floors."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=1)
    threads = parser.parse_args().threads
    machine = Machine.measured(threads)
    print(f"{threads} threads: copy {machine.bandwidth / 1e9:.1f} GB/s, ", end="")
    print(f"matrix product {machine.flops / 1e9:.0f} GFLOP/s")
    head = f"{'GB':>8} {'GFLOP':>8} {'floor s':>9} {'CPU s':>8} {'over it':>8}"
    print(f"{'what':14} {'data':12} {head}")
    for line in floors(threads, machine):
        print(line, flush=True)


if __name__ == "__main__":
    main()
