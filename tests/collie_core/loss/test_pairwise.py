import inspect
import pickle

import pytest
import torch
from torch import Tensor

from collie_core.loss import LOSSES, bpr_loss, hinge_loss

REFERENCE = [
    "num_items",
    "positive_items",
    "negative_items",
    "metadata",
    "metadata_weights",
]


@pytest.mark.parametrize("name", sorted(LOSSES))
def test_every_loss_has_the_arguments_of_the_reference(name: str) -> None:
    names = list(inspect.signature(LOSSES[name]).parameters)
    negative = "negative_scores" if name in ("bpr", "hinge") else "many_negative_scores"
    assert names == ["positive_scores", negative, *REFERENCE]


@pytest.mark.parametrize("name", sorted(LOSSES))
def test_every_loss_survives_a_pickle(name: str) -> None:
    assert pickle.loads(pickle.dumps(LOSSES[name])) is LOSSES[name]  # noqa: S301 - our own bytes


@pytest.mark.parametrize("name", sorted(LOSSES))
def test_every_loss_says_what_it_returns(name: str) -> None:
    assert (LOSSES[name].__doc__ or "").startswith("Return")


@pytest.mark.parametrize("name", sorted(LOSSES))
def test_a_nan_score_is_not_hidden(name: str) -> None:
    negative = torch.tensor([0.0, 1.0])
    many = negative if name in ("bpr", "hinge") else negative.repeat(3, 1)
    loss: Tensor = LOSSES[name](torch.tensor([1.0, torch.nan]), many, num_items=9)
    assert loss.isnan()


@pytest.mark.parametrize("loss", [bpr_loss, hinge_loss])
def test_a_loss_takes_scores_by_name(loss: object) -> None:
    scores = {"positive_scores": torch.tensor([1.0]), "negative_scores": torch.tensor([3.0])}
    assert callable(loss)
    assert loss(**scores) == loss(torch.tensor([1.0]), torch.tensor([3.0]))
