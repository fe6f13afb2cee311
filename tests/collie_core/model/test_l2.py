import pytest
import torch

from collie_core.interactions import Interactions
from collie_core.model import MatrixFactorizationModel


def test_the_penalty_is_that_of_the_users_of_a_batch_and_of_all_items(tiny: Interactions) -> None:
    torch.manual_seed(0)
    model = MatrixFactorizationModel(train=tiny, embedding_dim=4, l2=0.5)
    users = torch.tensor([3, 3, 3, 1])
    own = [model.user_embeddings.weight[user].square().sum() for user in (1, 3)]
    items = model.item_embeddings.weight.square().sum() / 10
    penalty = model.penalty(users)
    assert penalty is not None
    torch.testing.assert_close(penalty, 0.25 * ((own[0] + own[1]) / 2 + items))


def test_it_is_part_of_the_loss_while_training_only(tiny: Interactions) -> None:
    torch.manual_seed(0)
    model = MatrixFactorizationModel(train=tiny, embedding_dim=4, l2=0.5, loss="full_softmax")
    batch = next(iter(model.train_dataloader()))
    penalty = model.penalty(batch[0][0])
    difference = model.train().calculate_loss(batch) - model.eval().calculate_loss(batch)
    torch.testing.assert_close(difference, penalty)


def test_it_keeps_vectors_short(tiny: Interactions) -> None:
    def size(l2: float) -> float:
        torch.manual_seed(0)
        model = MatrixFactorizationModel(train=tiny, embedding_dim=4, l2=l2, loss="full_softmax")
        optimizer = model.configure_optimizers()["optimizer"]
        for _ in range(200):
            optimizer.zero_grad()
            model.calculate_loss(next(iter(model.train_dataloader()))).backward()
            optimizer.step()
        return float(model.item_embeddings.weight.detach().norm())

    assert size(0.5) < 0.9 * size(0.0)


@pytest.mark.parametrize("options", [{"l2": -1.0}, {"l2": float("nan")}])
def test_a_penalty_below_zero_is_refused(options: dict[str, float], tiny: Interactions) -> None:
    with pytest.raises(ValueError, match="l2 is "):
        MatrixFactorizationModel(train=tiny, **options)


def test_sparse_gradients_and_the_penalty_exclude_each_other(tiny: Interactions) -> None:
    with pytest.raises(ValueError, match="sparse True"):
        MatrixFactorizationModel(train=tiny, l2=1.0, sparse=True, optimizer="sparse_adam")
