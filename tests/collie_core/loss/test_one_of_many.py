from typing import Any

import numpy as np
import pytest
import torch

from collie_core.interactions import Interactions
from collie_core.loss import LOSSES, OneOfMany
from collie_core.model import MatrixFactorizationModel

CHOOSING = sorted(name for name, loss in LOSSES.items() if isinstance(loss, OneOfMany))
GENRES = torch.arange(40) % 3
CREDIT = {"metadata": {"genre": GENRES}, "metadata_weights": {"genre": 0.25}}


def random_data() -> Interactions:
    pairs = np.random.default_rng(0).permutation(30 * 40)[:200]
    return Interactions(
        users=pairs // 40, items=pairs % 40, num_users=30, num_items=40, allow_missing_ids=True
    )


@pytest.mark.parametrize("name", CHOOSING)
@pytest.mark.parametrize("has_credit", [False, True])
def test_two_scores_a_pair_give_loss_and_gradient_of_all(name: str, has_credit: bool) -> None:
    torch.manual_seed(0)
    options = (
        {"metadata_for_loss": {"genre": GENRES}, "metadata_for_loss_weights": {"genre": 0.25}}
        if has_credit
        else {}
    )
    model = MatrixFactorizationModel(train=random_data(), embedding_dim=4, loss=name, **options)
    with torch.no_grad():
        model.item_embeddings.weight.mul_(5)
    (users, positives), negatives = batch = next(iter(model.train_dataloader()))
    loss = model.calculate_loss(batch)
    slopes = torch.autograd.grad(loss, list(model.parameters()))

    candidates = torch.cat([positives[:, None], negatives], dim=1)
    scores = model.score_candidates(users, candidates)
    of_all = LOSSES[name](
        scores[:, 0],
        scores[:, 1:].T,
        num_items=40,
        positive_items=positives,
        negative_items=negatives.T,
        **(CREDIT if has_credit else {}),
    )
    torch.testing.assert_close(loss, of_all)
    torch.testing.assert_close(slopes, torch.autograd.grad(of_all, list(model.parameters())))
    assert all(slope.abs().sum() > 0 for slope in slopes[:2])


class WithTorchsDropout(MatrixFactorizationModel):
    """A model with a layer of torch's own, which draws anew in each pass."""

    def _setup_model(self, **kwargs: Any) -> None:
        super()._setup_model(**kwargs)
        self.dropout = torch.nn.Dropout(0.5)  # type: ignore[assignment]


def test_a_model_that_draws_for_itself_learns_from_the_scores_it_chose_by() -> None:
    model = WithTorchsDropout(train=random_data(), embedding_dim=4, loss="adaptive").train()
    (users, positives), negatives = batch = next(iter(model.train_dataloader()))
    torch.manual_seed(1)
    loss = model.calculate_loss(batch)
    torch.manual_seed(1)
    scores = model.score_candidates(users, torch.cat([positives[:, None], negatives], dim=1))
    assert loss == LOSSES["adaptive"](scores[:, 0], scores[:, 1:].T)


def test_the_losses_that_choose_are_the_adaptive_ones_and_warp() -> None:
    assert CHOOSING == ["adaptive", "adaptive_bpr", "adaptive_hinge", "warp"]
