import numpy as np
import torch

from collie_core.baselines import Popularity
from collie_core.interactions import Interactions
from collie_core.recommend import top_n
from collie_core.scorer import Bundled

TRAIN = Interactions(
    users=[0, 0, 1, 1, 2],
    items=[1, 3, 1, 2, 2],
    ratings=[5, 1, 1, 1, 1],
    num_items=5,
    allow_missing_ids=True,
    check_num_negative_samples_is_valid=False,
    seed=0,
)


def test_the_score_is_the_number_of_interactions_whatever_the_rating() -> None:
    scores = Popularity.fit(TRAIN).score_all(torch.tensor([2, 0]))
    assert scores.tolist() == [[0, 2, 2, 1, 0]] * 2
    assert scores.dtype == torch.float32


def test_items_of_equal_number_go_by_number() -> None:
    items, _ = top_n(Popularity.fit(TRAIN), np.array([0]), k=5)
    assert items.tolist() == [[1, 2, 3, 0, 4]]


def test_it_is_rebuilt_from_its_arrays() -> None:
    model = Popularity.fit(TRAIN)
    again = Popularity.from_tensors(model.config(), model.tensors())
    assert (again.num_users, again.num_items) == (3, 5)
    assert torch.equal(again.counts, model.counts)
    assert isinstance(model, Bundled)
