"""Items predicted from all other items at once, by ridge regression in closed form."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from math import inf
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import torch
from scipy.linalg import lapack
from scipy.sparse import csr_matrix
from torch import Tensor

from collie_core.baselines.sparse_bundle import item_blocks, packed, presence, unpacked
from collie_core.interactions import BaseInteractions

Floats = npt.NDArray[np.float32]
# MAP@10 in validation on ML-100K, mean of 5 splits: 100 .1214, 200 .1261, 300 .1274, 400 .1266,
# 500 .1255, 1000 .1197
REGULARIZATION = 300.0
CONTAINER_LIMIT = Path("/sys/fs/cgroup/memory.max")


@dataclass(frozen=True, eq=False)
class EASE:
    """Sums the weights from the items a user has to each item (Steck, WWW 2019).

    The weights B (N, N) minimise |X - XB|² + regularization · |B|² for what users have, X, with a
    diagonal of zeros: no item predicts itself. They need 4 · N² bytes.

    Parameters
    ----------
    weights : (N, N), row i holds what having item i adds to the scores.
    train : (U, N), what each user has.
    """

    weights: Floats
    train: csr_matrix

    @classmethod
    def fit(cls, train: BaseInteractions, regularization: float = REGULARIZATION) -> Self:
        """Solve for the weights on `train`; the default is the best in validation on ML-100K.

        Raises
        ------
        ValueError
            If `regularization` is not positive and finite or too small to solve with, or if the
            weights do not fit in memory.
        """
        if not 0 < regularization < inf:
            raise ValueError(
                f"regularization is {regularization}, must be > 0 and finite: "
                f"start from {REGULARIZATION:g}"
            )
        have = presence(train)
        _refuse_too_many_items(have.shape[1])
        weights = _shared_users(have)
        weights.reshape(-1)[:: have.shape[1] + 1] += regularization
        _invert(weights, regularization)
        weights /= -weights.diagonal().copy()
        np.fill_diagonal(weights, 0)
        return cls(weights, have)

    @property
    def num_users(self) -> int:
        """Number of users, U."""
        return int(self.train.shape[0])

    @property
    def num_items(self) -> int:
        """Number of items, N."""
        return int(self.train.shape[1])

    def score_all(self, users: Tensor) -> Tensor:
        """Score every item for `users` (B,): (B, N)."""
        return torch.from_numpy(np.asarray(self.train[users.cpu().numpy()] @ self.weights))

    def tensors(self) -> dict[str, Tensor]:
        """Return the weights, and what each user has."""
        return {"weights": torch.from_numpy(self.weights), **packed("train", self.train)}

    def config(self) -> dict[str, Any]:
        """Return the number of users and items."""
        return {"num_users": self.num_users, "num_items": self.num_items}

    @classmethod
    def from_tensors(cls, config: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> Self:
        """Rebuild the model that gave `config` and `tensors`."""
        shape = int(config["num_users"]), int(config["num_items"])
        return cls(tensors["weights"].numpy(), unpacked("train", tensors, shape))


def memory_bytes() -> int:
    """Return the memory of the machine, or of the container this process is confined to."""
    physical = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    limit = CONTAINER_LIMIT.read_text().strip() if CONTAINER_LIMIT.exists() else "max"
    return physical if limit == "max" else min(physical, int(limit))


def _refuse_too_many_items(num_items: int) -> None:
    needed, memory = 4 * num_items**2, memory_bytes()
    if needed > memory:
        raise ValueError(
            f"the weights of {num_items} items take {needed / 1e9:.1f} GB, must fit in the memory "
            f"of {memory / 1e9:.1f} GB: use ItemKNN, or leave rare items out"
        )


def _shared_users(have: csr_matrix) -> Floats:
    """Return how many users each two items share (N, N): XᵀX, dense a block of items at a time."""
    by_item = have.T.tocsr()
    shared = np.empty((have.shape[1], have.shape[1]), dtype=np.float32)
    for block in item_blocks(len(shared)):
        shared[block] = (by_item[block] @ have).toarray()
    return shared


def _invert(matrix: Floats, regularization: float) -> None:
    """Turn `matrix` (N, N), symmetric and positive definite, into its inverse.

    In place by LAPACK: with 3,000 items six times as fast as `numpy.linalg.inv`, and float32
    moves no weight by more than 1e-5 from float64, which takes twice the time and memory.
    """
    factor, wrong = lapack.spotrf(matrix.T, lower=False, overwrite_a=True, clean=False)
    if wrong:
        raise ValueError(
            f"regularization is {regularization}, too small to solve for item {wrong - 1} in "
            f"float32: start from {REGULARIZATION:g}"
        )
    lapack.spotri(factor, lower=False, overwrite_c=True)
    for item, row in enumerate(matrix):  # LAPACK has written the lower triangle only
        row[item + 1 :] = matrix[item + 1 :, item]
