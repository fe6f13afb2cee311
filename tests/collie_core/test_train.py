import numpy as np
import pytest
import torch

from collie_core.cross_validation import stratified_split
from collie_core.interactions import Interactions
from collie_core.metrics import evaluate_per_user
from collie_core.model import MatrixFactorizationModel
from collie_core.train import fit


@pytest.fixture(scope="module")
def parts() -> tuple[Interactions, ...]:
    """60 users of 40 items in four groups, who like the items of their own."""
    rng = np.random.default_rng(0)
    likes = rng.random((60, 40)) < np.where(
        np.arange(60)[:, None] % 4 == np.arange(40)[None] % 4, 0.8, 0.05
    )
    interactions = Interactions(mat=likes, num_negative_samples=3, seed=0)
    return stratified_split(interactions, val_p=0.2, test_p=0.1, seed=0)


def model_of(train: Interactions) -> MatrixFactorizationModel:
    torch.manual_seed(0)
    return MatrixFactorizationModel(train=train, embedding_dim=8, lr=0.03, bias_optimizer=None)


def test_the_model_ends_with_its_best_weights(parts: tuple[Interactions, ...]) -> None:
    train, validation, _ = parts
    model = model_of(train)
    history = fit(model, 30, validation, seen=train, patience=4)
    assert history.best_epoch == 1 + int(np.argmax(history.scores))
    again = evaluate_per_user(model, validation, exclude=train)["mapk"].mean()
    assert again == pytest.approx(max(history.scores))
    assert model.hparams["num_epochs_completed"] == history.best_epoch


def test_training_stops_after_patience(parts: tuple[Interactions, ...]) -> None:
    train, validation, _ = parts
    history = fit(model_of(train), 200, validation, seen=train, patience=3)
    assert len(history.scores) == history.best_epoch + 3 < 200


def test_without_validation_every_epoch_is_trained(parts: tuple[Interactions, ...]) -> None:
    model = model_of(parts[0])
    history = fit(model, 5)
    assert history.best_epoch == len(history.losses) == 5
    assert history.scores == []
    assert not model.training


def test_training_finds_the_groups(parts: tuple[Interactions, ...]) -> None:
    train, _, test = parts
    model = model_of(train)
    before = evaluate_per_user(model, test, exclude=train)["auc"].mean()
    fit(model, 40)
    assert evaluate_per_user(model, test, exclude=train)["auc"].mean() > before + 0.2
