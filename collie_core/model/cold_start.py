"""Matrix factorization for items that nobody has met yet."""

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Unpack

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from collie_core.model.blocks import ScaledEmbedding, ZeroEmbedding, biased_dot
from collie_core.model.dropout import Dropout
from collie_core.model.loading import AnyInteractions
from collie_core.model.multi_stage import MultiStagePipeline
from collie_core.model.options import (
    SCHEDULED,
    OptimizerChoice,
    SharedKeywords,
    SharedOptions,
)
from collie_core.model.scoring import Side, TwoSided, most_alike
from collie_core.recommend import scoring

ITEM_BUCKETS, NO_BUCKETS = "item_buckets", "no_buckets"


class ColdStartModel(TwoSided, MultiStagePipeline):
    """Matrix factorization over buckets of items first, then over the items themselves.

    In stage "item_buckets" all items of a bucket share factors and bias. Advancing to stage
    "no_buckets" gives every item a copy of its bucket's, to train on from there; the bucket's
    own stay, and stand for a new item.

    Parameters
    ----------
    train, val : see `BasePipeline`.
    item_buckets : (N,) bucket of each item, 0 to the number of buckets less one.
    embedding_dim : D, length of the factors.
    dropout_p : probability of dropping an entry of a factor, not of a bias, while training.
    sparse : whether gradients of the embeddings are sparse; without weight decay only.
    item_buckets_stage_lr, no_buckets_stage_lr : learning rate of each stage.
    item_buckets_stage_optimizer, no_buckets_stage_optimizer : optimizer of each stage.
    **options : see `SharedOptions`.

    Raises
    ------
    ValueError
        If `item_buckets` has not one whole number >= 0 for each item.
    """

    option_defaults: ClassVar[Mapping[str, Any]] = SCHEDULED
    pairs_at_once = 1 << 26

    def __init__(
        self,
        train: AnyInteractions = None,
        val: AnyInteractions = None,
        item_buckets: Iterable[int] | Tensor | None = None,
        embedding_dim: int = 30,
        dropout_p: float = 0.0,
        sparse: bool = False,
        item_buckets_stage_lr: float = 1e-3,
        no_buckets_stage_lr: float = 1e-3,
        item_buckets_stage_optimizer: OptimizerChoice = "adam",
        no_buckets_stage_optimizer: OptimizerChoice = "adam",
        **options: Unpack[SharedKeywords],
    ) -> None:
        own = {"embedding_dim": embedding_dim, "dropout_p": dropout_p, "sparse": sparse}
        buckets = None if item_buckets is None else checked_buckets(item_buckets)
        if buckets is not None:
            own["num_item_buckets"] = int(buckets.max()) + 1
        elif options.get("load_model_path") is None:
            raise ValueError("item_buckets is None: pass the bucket of each item")
        stages = {
            ITEM_BUCKETS: (item_buckets_stage_lr, item_buckets_stage_optimizer, "item_bucket_"),
            NO_BUCKETS: (no_buckets_stage_lr, no_buckets_stage_optimizer, "item_"),
        }
        super().__init__(
            train,
            val,
            SharedOptions.of(type(self), options),
            optimizer_config_list=[
                {
                    "stage": stage,
                    "lr": lr,
                    "optimizer": optimizer,
                    "parameter_prefix_list": [
                        "user_",
                        f"{prefix}embeddings",
                        f"{prefix}biases",
                    ],
                }
                for stage, (lr, optimizer, prefix) in stages.items()
            ],
            **own,
        )
        if buckets is not None:
            if len(buckets) != self.num_items:
                raise ValueError(
                    f"item_buckets has {len(buckets)} entries for {self.num_items} items: "
                    "give one for each item"
                )
            self.item_buckets.copy_(buckets)

    def _setup_model(self, **kwargs: Any) -> None:  # noqa: ARG002 - the template's
        size, sparse = self.hparams["embedding_dim"], self.hparams["sparse"]
        users, items, buckets = self.num_users, self.num_items, self.hparams["num_item_buckets"]
        self.user_embeddings = ScaledEmbedding(users, size, sparse=sparse)
        self.user_biases = ZeroEmbedding(users, 1, sparse=sparse)
        self.item_bucket_embeddings = ScaledEmbedding(buckets, size, sparse=sparse)
        self.item_bucket_biases = ZeroEmbedding(buckets, 1, sparse=sparse)
        self.item_embeddings = ScaledEmbedding(items, size, sparse=sparse)
        self.item_biases = ZeroEmbedding(items, 1, sparse=sparse)
        self.dropout = Dropout(self.hparams["dropout_p"])
        self.item_buckets: Tensor
        self.register_buffer("item_buckets", torch.zeros(self.num_items, dtype=torch.int64))

    def set_stage(self, stage: str) -> None:
        """Move to `stage`; leaving "item_buckets" gives each item its bucket's factors and bias."""
        before = self.hparams["stage"]
        super().set_stage(stage)
        if (before, stage) == (ITEM_BUCKETS, NO_BUCKETS):
            with torch.no_grad():
                self.item_embeddings.weight.copy_(self.item_bucket_embeddings(self.item_buckets))
                self.item_biases.weight.copy_(self.item_bucket_biases(self.item_buckets))

    def user_side(self, users: Tensor) -> Side:
        """Return factors (..., D) and bias (..., 1) of `users` (...)."""
        return self.dropout(self.user_embeddings(users)), self.user_biases(users)

    def item_side(self, items: Tensor) -> Side:
        """Return factors (..., D) and bias (..., 1) of `items` (...), or of their buckets."""
        if self.hparams["stage"] == NO_BUCKETS:
            return self.dropout(self.item_embeddings(items)), self.item_biases(items)
        buckets = self.item_buckets[items]
        vectors, biases = self.item_bucket_embeddings(buckets), self.item_bucket_biases(buckets)
        return self.dropout(vectors), biases

    def match(self, user: Side, item: Side) -> Tensor:
        """Score users' sides against items': (...)."""
        return biased_dot(user, item)

    def item_bucket_item_similarity(self, item_bucket_id: int) -> "pd.Series[float]":
        """Return the cosine of a bucket's embedding with every item's, best first.

        Raises
        ------
        ValueError
            If there is no such bucket.
        """
        count = self.hparams["num_item_buckets"]
        if not 0 <= item_bucket_id < count:
            raise ValueError(f"item_bucket_id is {item_bucket_id}, must be in 0..{count - 1}")
        with scoring(self):
            bucket = self.item_bucket_embeddings.weight[item_bucket_id]
            return most_alike(bucket, self._get_item_embeddings())


def checked_buckets(item_buckets: Iterable[int] | Tensor) -> Tensor:
    """Return `item_buckets` as (N,) int64, or refuse what is no whole number >= 0."""
    raw = item_buckets if isinstance(item_buckets, Tensor) else np.asarray(list(item_buckets))
    buckets = torch.as_tensor(raw)
    if buckets.ndim != 1 or not len(buckets):
        raise ValueError(f"item_buckets has shape {tuple(buckets.shape)}, must be (num_items,)")
    whole = buckets.to(torch.int64)
    if (whole != buckets).any() or (whole < 0).any():
        first = int(((whole != buckets) | (whole < 0)).nonzero()[0])
        raise ValueError(
            f"item_buckets[{first}] is {buckets[first].item()}, must be a whole number >= 0: "
            "encode the buckets as 0, 1, 2, ..."
        )
    return whole
