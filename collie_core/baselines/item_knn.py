"""Items like those a user has, by the users they share."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import torch
from scipy.sparse import csr_matrix, diags_array, vstack
from torch import Tensor

from collie_core.baselines.sparse_bundle import item_blocks, packed, presence, unpacked
from collie_core.interactions import BaseInteractions
from collie_core.interactions.ids import at_least
from collie_core.scores import best

DAMPING = 0.75  # MAP@10 in validation on ML-100K: 0.25 .1140, 0.5 .1182, 0.75 .1189, 1 .1152


@dataclass(frozen=True, eq=False)
class ItemKNN:
    """Sums the similarities of an item to those the user has (Sarwar et al., WWW 2001).

    The similarity of two items is the cosine of their columns of users, where a user of c items
    weighs c to the power of -`DAMPING`, times n / (n + shrinkage) for the n users both share; each
    item keeps its `neighbours` most similar ones.

    Parameters
    ----------
    similarity : (N, N), row j holds the items like j.
    train : (U, N), what each user has.
    """

    similarity: csr_matrix
    train: csr_matrix

    @classmethod
    def fit(cls, train: BaseInteractions, neighbours: int = 400, shrinkage: float = 0.0) -> Self:
        """Compare the items of `train`; the defaults are the best in validation on ML-100K.

        Raises
        ------
        ValueError
            If `neighbours` is less than 1 or `shrinkage` negative.
        """
        at_least("neighbours", neighbours, 1)
        if not shrinkage >= 0:
            raise ValueError(f"shrinkage is {shrinkage}, must be >= 0: use 0")
        have = presence(train)
        by_user = _weighed(have)
        by_item = by_user.T.tocsr()
        rows = [
            _neighbours(by_item[block], by_user, have, block.start, neighbours, shrinkage)
            for block in item_blocks(have.shape[1])
        ]
        return cls(vstack(rows, format="csr"), have)

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
        rows = self.train[users.cpu().numpy()]
        return torch.from_numpy((rows @ self.similarity).toarray().astype(np.float32, copy=False))

    def similar(self, k: int) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.float32]]:
        """Return the k items most like each item: items (N, k) and similarities (N, k).

        Where an item has fewer neighbours than k, they are -1 and -inf.
        """
        items = np.full((self.num_items, k), -1, dtype=np.int32)
        scores = np.full((self.num_items, k), -np.inf, dtype=np.float32)
        for block in item_blocks(self.num_items):
            dense = torch.from_numpy(self.similarity[block].toarray())
            found, values = best(dense.masked_fill(dense == 0, -torch.inf), k)
            items[block], scores[block] = found.numpy(), values.numpy()
        return items, scores

    def tensors(self) -> dict[str, Tensor]:
        """Return both matrices in their compressed form."""
        return packed("similarity", self.similarity) | packed("train", self.train)

    def config(self) -> dict[str, Any]:
        """Return the number of users and items."""
        return {"num_users": self.num_users, "num_items": self.num_items}

    @classmethod
    def from_tensors(cls, config: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> Self:
        """Rebuild the model that gave `config` and `tensors`."""
        users, items = int(config["num_users"]), int(config["num_items"])
        return cls(
            unpacked("similarity", tensors, (items, items)),
            unpacked("train", tensors, (users, items)),
        )


def _weighed(have: csr_matrix) -> csr_matrix:
    """Return `have` with rows weighed by the user's number of items, and columns of length 1."""
    counts = np.maximum(np.diff(have.indptr), 1)
    weighed = csr_matrix(diags_array(counts**-DAMPING) @ have)
    lengths = np.sqrt(np.asarray(weighed.multiply(weighed).sum(axis=0)).ravel())
    return csr_matrix(weighed @ diags_array(1 / np.maximum(lengths, 1e-12)), dtype=np.float32)


def _neighbours(
    block: csr_matrix,
    by_user: csr_matrix,
    have: csr_matrix,
    start: int,
    neighbours: int,
    shrinkage: float,
) -> csr_matrix:
    """Return the similarity of `block`, the weighed items from `start` on, cut to the best."""
    similar = (block @ by_user).toarray()
    if shrinkage:
        shared = (have[:, start : start + len(similar)].T @ have).toarray()
        similar *= shared / (shared + shrinkage)
    similar.reshape(-1)[start :: similar.shape[1] + 1] = 0  # an item is no neighbour of its own
    dense = torch.from_numpy(similar)
    items, values = best(dense.masked_fill(dense <= 0, -torch.inf), neighbours)
    kept = items.numpy() >= 0
    ends = np.concatenate([[0], np.cumsum(kept.sum(axis=1))])
    cut = csr_matrix((values.numpy()[kept], items.numpy()[kept], ends), shape=similar.shape)
    cut.sort_indices()
    return cut
