import pytest
from torch import Tensor

from collie_core.loss import (
    ADAPTIVE,
    LOSSES,
    adaptive_bpr_loss,
    adaptive_hinge_loss,
    bpr_loss,
    hinge_loss,
    resolve_loss,
    warp_loss,
)


@pytest.mark.parametrize(
    ("name", "negatives", "loss"),
    [
        ("bpr", 1, bpr_loss),
        ("hinge", 1, hinge_loss),
        ("bpr", 2, adaptive_bpr_loss),
        ("hinge", 10, adaptive_hinge_loss),
        ("adaptive", 2, adaptive_hinge_loss),
        ("adaptive_bpr", 2, adaptive_bpr_loss),
        ("adaptive_hinge", 2, adaptive_hinge_loss),
        ("warp", 2, warp_loss),
    ],
)
def test_a_name_means_the_loss_of_that_many_negatives(
    name: str, negatives: int, loss: object
) -> None:
    assert resolve_loss(name, negatives) is loss


@pytest.mark.parametrize("name", ["warp", "adaptive", "adaptive_bpr", "adaptive_hinge"])
def test_a_loss_of_many_negatives_is_refused_for_one(name: str) -> None:
    with pytest.raises(ValueError, match=rf"'{name}'.*num_negative_samples is 1: set it to 2"):
        resolve_loss(name, 1)


@pytest.mark.parametrize("name", ["BPR", "bpr_loss", "", "my_bpr"])
def test_an_unknown_name_is_refused_with_the_known(name: str) -> None:
    with pytest.raises(ValueError, match=r"unknown loss .*'adaptive'.*'warp'"):
        resolve_loss(name, 2)


def test_a_function_stays_what_it_is() -> None:
    def own(positive_scores: Tensor, negative_scores: Tensor) -> Tensor:
        return (negative_scores - positive_scores).mean()

    assert resolve_loss(own, 1) is own


def test_every_adaptive_name_is_in_the_table() -> None:
    assert ADAPTIVE.keys() | set(ADAPTIVE.values()) <= LOSSES.keys()
