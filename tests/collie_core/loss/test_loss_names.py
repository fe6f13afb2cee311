import pytest
from torch import Tensor

from collie_core.loss import (
    ADAPTIVE,
    EXPLICIT_LOSSES,
    LOSSES,
    adaptive_bpr_loss,
    adaptive_hinge_loss,
    bpr_loss,
    hinge_loss,
    mae_loss,
    mse_loss,
    resolve_loss,
    softmax_loss,
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
        ("softmax", 2, softmax_loss),
    ],
)
def test_a_name_means_the_loss_of_that_many_negatives(
    name: str, negatives: int, loss: object
) -> None:
    assert resolve_loss(name, negatives) is loss


def test_warp_is_refused_for_one_negative() -> None:
    with pytest.raises(ValueError, match=r"'warp'.*num_negative_samples is 1: set it to 2"):
        resolve_loss("warp", 1)


@pytest.mark.parametrize("name", sorted(LOSSES))
def test_a_loss_of_pairs_is_refused_without_negatives(name: str) -> None:
    with pytest.raises(ValueError, match=rf"'{name}' needs .* is 0: .* one of \['full_softmax'\]"):
        resolve_loss(name, 0)


@pytest.mark.parametrize(
    ("name", "loss"),
    [("adaptive", hinge_loss), ("adaptive_bpr", bpr_loss), ("adaptive_hinge", hinge_loss)],
)
def test_an_adaptive_loss_of_one_negative_is_the_plain_one(name: str, loss: object) -> None:
    with pytest.warns(UserWarning, match=rf"'{name}' chooses .* is 1: '\w+' is used"):
        assert resolve_loss(name, 1) is loss


@pytest.mark.parametrize(("name", "loss"), [("mse", mse_loss), ("mae", mae_loss)])
def test_a_name_means_the_loss_of_ratings(name: str, loss: object) -> None:
    assert resolve_loss(name, None) is loss


@pytest.mark.parametrize("name", sorted(LOSSES))
def test_a_loss_of_pairs_is_refused_for_ratings(name: str) -> None:
    with pytest.raises(ValueError, match=rf"'{name}' is for implicit data.*'mae', 'mse'"):
        resolve_loss(name, None)


@pytest.mark.parametrize("name", sorted(EXPLICIT_LOSSES))
@pytest.mark.parametrize("negatives", [1, 5])
def test_a_loss_of_ratings_is_refused_for_pairs(name: str, negatives: int) -> None:
    with pytest.raises(ValueError, match=rf"'{name}' is for explicit data.*ExplicitInteractions"):
        resolve_loss(name, negatives)


@pytest.mark.parametrize("name", ["BPR", "bpr_loss", "", "my_bpr"])
def test_an_unknown_name_is_refused_with_the_known(name: str) -> None:
    with pytest.raises(ValueError, match=r"unknown loss .*'adaptive'.*'mse'.*'warp'"):
        resolve_loss(name, 2)


def test_a_function_stays_what_it_is() -> None:
    def own(positive_scores: Tensor, negative_scores: Tensor) -> Tensor:
        return (negative_scores - positive_scores).mean()

    assert resolve_loss(own, 1) is own


def test_every_adaptive_name_is_in_the_table() -> None:
    assert ADAPTIVE.keys() | set(ADAPTIVE.values()) <= LOSSES.keys()
