"""Sparse matrices of the baselines: made of interactions, cut into blocks, kept in bundles."""

from collections.abc import Mapping

import numpy as np
import torch
from scipy.sparse import csr_matrix
from torch import Tensor

from collie_core.interactions import BaseInteractions

CELLS_A_BLOCK = 1 << 22  # cells that are dense at once: 16 MiB
PARTS = ("data", "indices", "indptr")


def presence(train: BaseInteractions) -> csr_matrix:
    """Return what each user has (U, N) float32: 1, whatever the rating and however often."""
    have = train.mat.tocsr().astype(np.float32)
    have.data[:] = 1
    return have


def item_blocks(num_items: int) -> list[slice]:
    """Return slices of as many items as may be compared to all at once."""
    step = max(1, CELLS_A_BLOCK // num_items)
    return [slice(start, min(start + step, num_items)) for start in range(0, num_items, step)]


def packed(name: str, matrix: csr_matrix) -> dict[str, Tensor]:
    """Return the arrays of `matrix` for a bundle, each as `name`.part."""
    return {f"{name}.{part}": torch.from_numpy(getattr(matrix, part)) for part in PARTS}


def unpacked(name: str, tensors: Mapping[str, Tensor], shape: tuple[int, int]) -> csr_matrix:
    """Return the matrix of `shape` that `packed` took apart under `name`."""
    return csr_matrix(tuple(tensors[f"{name}.{part}"].numpy() for part in PARTS), shape=shape)
