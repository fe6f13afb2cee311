"""What a model learns from: the loss of a batch."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from collie_core.loss import ALL_ITEMS_LOSSES, EXPLICIT_LOSSES, OneOfMany, resolve_loss
from collie_core.model.dropout import remembered, repeats
from collie_core.model.loading import negatives_of
from collie_core.model.stored import Stored

ImplicitBatch = tuple[tuple[Tensor, Tensor], Tensor]
ExplicitBatch = tuple[Tensor, Tensor, Tensor]
Batch = ImplicitBatch | ExplicitBatch


class Learning(Stored):
    """The half of a model that says how wrong it is: all of it follows from its scores."""

    _loss_function: Callable[..., Tensor] | None

    @property
    def loss_function(self) -> Callable[..., Tensor]:
        """What `options.loss` means for the training data."""
        if self._loss_function is None:
            loader = self._training_data()
            self._loss_function = resolve_loss(self.options.loss, negatives_of(loader))
        return self._loss_function

    def calculate_loss(self, batch: Batch) -> Tensor:
        """Return the loss () of a batch, whose form says what kind of data it is.

        Parameters
        ----------
        batch : implicit, ((users (B,), items (B,)), negative items (B, K)), or explicit, (users
            (B,), items (B,), ratings (B,)).

        Raises
        ------
        ValueError
            If it has neither form, or the loss is for the other.
        """
        if len(batch) not in (2, 3) or (len(batch) == 2 and len(batch[0]) != 2):
            raise ValueError(
                f"the batch has {len(batch)} parts, must be ((users, items), negative items) or "
                "(users, items, ratings)"
            )
        loss, is_explicit = self.options.loss, len(batch) == 3
        if isinstance(loss, str) and (loss in EXPLICIT_LOSSES) != is_explicit:
            kind = "explicit" if is_explicit else "implicit"
            raise ValueError(f"loss {loss!r} is not for {kind} data: see collie_core.loss")
        value = self._explicit_loss(batch) if len(batch) == 3 else self._implicit_loss(batch)
        if not self.training:
            return value
        penalty = self.penalty(batch[0] if len(batch) == 3 else batch[0][0])
        return value if penalty is None else value + penalty

    def penalty(self, users: Tensor) -> Tensor | None:  # noqa: ARG002 - a subclass's
        """Return what training adds to the loss of a batch with `users` (B,), (); None for none."""
        return None

    def _explicit_loss(self, batch: ExplicitBatch) -> Tensor:
        users, items, ratings = batch
        scores = self(users, items)
        return self.loss_function(scores, ratings.to(scores.dtype))

    def _implicit_loss(self, batch: ImplicitBatch) -> Tensor:
        (users, positives), negatives = batch
        function = self.loss_function
        if function in ALL_ITEMS_LOSSES.values():
            everyone, places = distinct(users)
            return function(self.score_all(everyone), positives, places)
        if isinstance(function, OneOfMany) and repeats(self):
            return self._loss_of_chosen(function, users, positives, negatives)
        scores, many_scores = self._scored(users, positives, negatives)
        one = negatives.shape[1] == 1
        return function(
            scores,
            many_scores[0] if one else many_scores,
            num_items=self.num_items,
            positive_items=positives,
            negative_items=negatives[:, 0] if one else negatives.T,
            **self._credit(),
        )

    def _loss_of_chosen(
        self, function: OneOfMany, users: Tensor, positives: Tensor, negatives: Tensor
    ) -> Tensor:
        credit = self._credit()
        with remembered(negatives.shape[1] + 1) as masks:
            with torch.no_grad():
                scores = self._scored(users, positives, negatives)
            which, weights = function.choose(
                *scores, self.num_items, positives, negatives.T, **credit
            )
            masks.places = torch.stack([torch.zeros_like(which), which + 1], dim=1)
            chosen = negatives.gather(1, which[:, None])
            score, chosen_score = self._scored(users, positives, chosen)
        return function.of_pair(score, chosen_score[0], weights, positives, chosen[:, 0], **credit)

    def _scored(self, users: Tensor, positives: Tensor, negatives: Tensor) -> tuple[Tensor, Tensor]:
        """Return the scores of positives (B,) and of negatives (B, K), the latter as (K, B)."""
        scores = self.score_candidates(users, torch.cat([positives[:, None], negatives], dim=1))
        return scores[:, 0], scores[:, 1:].T

    def _credit(self) -> dict[str, Any]:
        """Return what partial credit is computed of."""
        names, weights = self.options.metadata_for_loss, self.options.metadata_for_loss_weights
        metadata = {name: getattr(self, f"metadata_{name}") for name in names or {}}
        return {"metadata": metadata, "metadata_weights": weights or {}}


def distinct(users: Tensor) -> tuple[Tensor, Tensor]:
    """Return each of `users` (B,) once, and the place of each row among them (B,)."""
    if users.is_meta:  # there is nothing to compare where memory is only counted
        return users, users
    # batches of whole users have the rows of each together, so that few are left to sort
    runs, of_row = torch.unique_consecutive(users, return_inverse=True)
    everyone, of_run = torch.unique(runs, return_inverse=True)
    return everyone, of_run[of_row]
