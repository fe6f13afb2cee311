"""Matrix factorization."""

from collections.abc import Mapping
from typing import Any, ClassVar, Unpack

from torch import Tensor

from collie_core.model.base import BasePipeline
from collie_core.model.blocks import ScaledEmbedding, ZeroEmbedding, biased_dot, in_range
from collie_core.model.dropout import Dropout
from collie_core.model.learning import distinct
from collie_core.model.loading import AnyInteractions
from collie_core.model.options import BIASED, TrainingKeywords, TrainingOptions
from collie_core.model.scoring import Side, TwoSided


class MatrixFactorizationModel(TwoSided, BasePipeline):
    """Dot product of a user's and an item's factors, plus both biases (Koren et al., 2009).

    The biases have an optimizer of their own, by default a slower one, so that the model does not
    take the short way of learning popularity alone.

    Parameters
    ----------
    train, val : see `BasePipeline`.
    embedding_dim : D, length of the factors.
    dropout_p : probability of dropping an entry of a factor, not of a bias, while training.
    sparse : whether gradients of the embeddings are sparse; without weight decay only.
    y_range : (minimum, maximum) of the scores, through a sigmoid.
    l2 : λ >= 0; training adds λ/2 · (|p|² + |q|²) to the loss, |p|² the mean over the batch's users
        and |q|² over all items. It weighs as much however many batches an epoch has and however
        many items there are, which `weight_decay` does not; without `sparse` only.
    **options : see `TrainingOptions`.
    """

    option_defaults: ClassVar[Mapping[str, Any]] = BIASED
    pairs_at_once = 1 << 26  # a product of matrices needs no memory but for the scores

    def __init__(
        self,
        train: AnyInteractions = None,
        val: AnyInteractions = None,
        embedding_dim: int = 30,
        dropout_p: float = 0.0,
        sparse: bool = False,
        y_range: tuple[float, float] | None = None,
        *,
        l2: float = 0.0,
        **options: Unpack[TrainingKeywords],
    ) -> None:
        if not l2 >= 0 or (l2 and sparse):
            raise ValueError(f"l2 is {l2} and sparse {sparse}, must be >= 0, and 0 with sparse")
        own = {
            "embedding_dim": embedding_dim,
            "dropout_p": dropout_p,
            "sparse": sparse,
            "y_range": y_range,
            "l2": l2,
        }
        super().__init__(train, val, TrainingOptions.of(type(self), options), **own)

    def _setup_model(self, **kwargs: Any) -> None:  # noqa: ARG002 - the template's
        users, items = self.num_users, self.num_items
        size, sparse = self.hparams["embedding_dim"], self.hparams["sparse"]
        self.user_embeddings = ScaledEmbedding(users, size, sparse=sparse)
        self.item_embeddings = ScaledEmbedding(items, size, sparse=sparse)
        self.user_biases = ZeroEmbedding(users, 1, sparse=sparse)
        self.item_biases = ZeroEmbedding(items, 1, sparse=sparse)
        self.dropout = Dropout(self.hparams["dropout_p"])

    def user_side(self, users: Tensor) -> Side:
        """Return factors (..., D) and bias (..., 1) of `users` (...)."""
        return self.dropout(self.user_embeddings(users)), self.user_biases(users)

    def item_side(self, items: Tensor) -> Side:
        """Return factors (..., D) and bias (..., 1) of `items` (...)."""
        return self.dropout(self.item_embeddings(items)), self.item_biases(items)

    def every_item_side(self) -> Side:
        """Return factors (N, D) and biases (N, 1) of all items.

        The tables themselves, unless their gradients are to be sparse: to look up all of their rows
        in order, and to add up the gradients of each, took a tenth of an epoch of softmax.
        """
        if self.hparams["sparse"]:
            return super().every_item_side()
        return self.dropout(self.item_embeddings.weight), self.item_biases.weight

    def penalty(self, users: Tensor) -> Tensor | None:
        """Return λ/2 · (|p|² + |q|²), the means over `users` (B,), each once, and all items: ()."""
        if not self.hparams.get("l2"):  # bundles of before have none
            return None
        everyone, _ = distinct(users)
        vectors = self.user_embeddings(everyone), self.item_embeddings.weight
        of_users, of_items = (each.square().sum(dim=-1).mean() for each in vectors)
        return (of_users + of_items).mul(self.hparams["l2"] / 2)

    def match(self, user: Side, item: Side) -> Tensor:
        """Score users' sides against items': (...)."""
        return in_range(biased_dot(user, item), self.hparams["y_range"])
