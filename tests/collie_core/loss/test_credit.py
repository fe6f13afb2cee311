import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from collie_core.loss import bpr_loss, check_metadata, ideal_difference_from_metadata

GENRES = torch.tensor([0, 0, 1])  # Star Wars, Star Trek, Legally Blonde
DIRECTORS = torch.tensor([0, 1, 1])
BOTH = {"genre": GENRES, "director": DIRECTORS}
WEIGHTS = {"genre": 0.3, "director": 0.2}


@pytest.mark.parametrize(("negative", "expected"), [(1, 1.0287), (2, 1.6566)])
def test_it_gives_the_numbers_of_the_reference(negative: int, expected: float) -> None:
    loss = bpr_loss(
        positive_scores=torch.tensor([1.0]),
        negative_scores=torch.tensor([3.0]),
        positive_items=torch.tensor([0]),
        negative_items=torch.tensor([negative]),
        metadata={"genre": GENRES},
        metadata_weights={"genre": 0.25},
    )
    assert round(loss.item(), 4) == expected


def test_without_metadata_the_number_of_the_reference_is_the_same_for_all() -> None:
    assert round(bpr_loss(torch.tensor([1.0]), torch.tensor([3.0])).item(), 4) == 1.6566


@pytest.mark.parametrize(
    ("positive", "negative", "match"),
    [(0, 1, 0.3), (1, 2, 0.2), (0, 2, 0.0), (1, 1, 1.0)],
    ids=["genre", "director", "neither", "itself"],
)
def test_matches_are_those_of_the_reference(positive: int, negative: int, match: float) -> None:
    ideal = ideal_difference_from_metadata(
        torch.tensor([positive]), torch.tensor([negative]), BOTH, WEIGHTS
    )
    assert ideal.item() == pytest.approx(1 - match)


def test_a_column_of_codes_is_the_same_as_a_row() -> None:
    items = torch.tensor([0, 1, 2]), torch.tensor([[1, 2, 0], [2, 0, 1]])
    column = {name: codes[:, None] for name, codes in BOTH.items()}
    ideal = ideal_difference_from_metadata(*items, column, WEIGHTS)
    assert ideal.shape == (2, 3)
    assert torch.equal(ideal, ideal_difference_from_metadata(*items, BOTH, WEIGHTS))


@given(st.lists(st.integers(1, 9), min_size=1, max_size=6), st.integers(0, 99))
def test_the_gap_asked_is_never_outside_0_to_1(parts: list[int], seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    weights = {str(name): part / sum(parts) for name, part in enumerate(parts)}
    metadata = {name: torch.randint(2, (5,), generator=generator) for name in weights}
    items = torch.randint(5, (2, 8), generator=generator)
    ideal = ideal_difference_from_metadata(items[0], items[1], metadata, weights)
    assert ((ideal >= 0) & (ideal <= 1)).all()


def test_metadata_without_items_is_refused() -> None:
    with pytest.raises(ValueError, match="without positive_items"):
        bpr_loss(torch.zeros(1), torch.zeros(1), metadata=BOTH, metadata_weights=WEIGHTS)


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ({"genre": 0.7, "director": 0.4}, r"sum to 1\.1, must be at most 1"),
        ({"genre": -0.1, "director": 0.4}, r"'genre' is -0\.1, must be >= 0"),
        ({"genre": float("nan"), "director": 0.4}, "'genre' is nan, must be >= 0"),
        ({"genre": 0.5}, r"\['director', 'genre'\], its weights \['genre'\]"),
        ({}, r"its weights \[\]"),
    ],
)
def test_wrong_weights_are_refused(weights: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        check_metadata(BOTH, weights, 3)
    with pytest.raises(ValueError, match=message):
        ideal_difference_from_metadata(torch.tensor([0]), torch.tensor([1]), BOTH, weights)


def test_weights_that_sum_to_one_but_for_rounding_are_accepted() -> None:
    weights = {"a": 0.2, "b": 0.4, "c": 0.3, "d": 0.1}
    assert sum(weights.values()) > 1
    check_metadata(dict.fromkeys(weights, GENRES), weights, 3)


@pytest.mark.parametrize("num_items", [2, 4])
def test_codes_for_other_items_than_there_are_are_refused(num_items: int) -> None:
    with pytest.raises(ValueError, match=f"has 3 codes for {num_items} items"):
        check_metadata({"genre": GENRES}, {"genre": 0.5}, num_items)


def test_a_nan_code_is_refused_with_its_item() -> None:
    codes = torch.tensor([[0.0], [torch.nan], [1.0]])
    with pytest.raises(ValueError, match="'genre' is NaN for item 1"):
        check_metadata({"genre": codes}, {"genre": 0.5}, 3)
