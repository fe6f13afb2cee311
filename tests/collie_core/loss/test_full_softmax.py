import numpy as np
import pytest
import torch
from torch.nn import functional

from collie_core.interactions import Interactions, InteractionsDataLoader
from collie_core.loss import full_softmax_loss, softmax_loss
from collie_core.model import MatrixFactorizationModel

ITEMS = torch.tensor([3, 0, 1, 3])
PLACES = torch.tensor([0, 0, 1, 2])


def scores() -> torch.Tensor:
    return torch.randn(3, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def test_it_is_the_cross_entropy_of_each_positive_item() -> None:
    expected = functional.cross_entropy(scores()[PLACES], ITEMS)
    assert full_softmax_loss(scores(), ITEMS, PLACES) == pytest.approx(expected)
    assert full_softmax_loss(scores()[PLACES], ITEMS) == pytest.approx(expected)


def test_the_sampled_one_is_the_same_with_each_other_item_once() -> None:
    rows = scores()[PLACES]
    others = torch.stack([torch.tensor([j for j in range(5) if j != i]) for i in ITEMS.tolist()])
    sampled = softmax_loss(rows.gather(1, ITEMS[:, None])[:, 0], rows.gather(1, others).T, 5)
    assert full_softmax_loss(rows, ITEMS) == pytest.approx(sampled)


def test_its_gradient_is_right() -> None:
    all_scores = scores().requires_grad_()
    assert torch.autograd.gradcheck(lambda s: full_softmax_loss(s, ITEMS, PLACES), all_scores)


def data(negatives: int = 10) -> Interactions:
    pairs = np.random.default_rng(0).permutation(30 * 40)[:200]
    return Interactions(
        users=pairs // 40,
        items=pairs % 40,
        num_users=30,
        num_items=40,
        allow_missing_ids=True,
        num_negative_samples=negatives,
    )


@pytest.mark.parametrize("negatives", [0, 1, 10])
@pytest.mark.parametrize("by_user", [False, True])
def test_a_model_learns_it_of_any_batches(by_user: bool, negatives: int) -> None:
    torch.manual_seed(0)
    loader = InteractionsDataLoader(data(negatives), batch_size=13, num_workers=0, by_user=by_user)
    model = MatrixFactorizationModel(train=loader, embedding_dim=4, loss="full_softmax")
    for (users, items), drawn in loader:
        loss = model.calculate_loss(((users, items), drawn))
        expected = functional.cross_entropy(model.score_all(users), items.long())
        torch.testing.assert_close(loss, expected)


def test_partial_credit_is_refused() -> None:
    with pytest.raises(ValueError, match=r"metadata_for_loss .*'full_softmax' knows no partial"):
        MatrixFactorizationModel(
            train=data(),
            loss="full_softmax",
            metadata_for_loss={"genre": torch.zeros(40)},
            metadata_for_loss_weights={"genre": 0.5},
        )
