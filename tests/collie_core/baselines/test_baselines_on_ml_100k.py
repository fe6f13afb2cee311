"""Whether the evaluation and both baselines give the figures known for MovieLens-100K."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from scipy.sparse import coo_matrix

from collie_core.baselines import EASE, ItemKNN, Popularity
from collie_core.interactions import Interactions
from collie_core.metrics import evaluate_per_user, paired_bootstrap
from collie_core.scorer import Scorer

FILE = Path(__file__).resolve().parents[3] / "../shared/data/ml-100k/u.data"
TRAIN, VALIDATION, TEST = range(3)

pytestmark = pytest.mark.skipif(not FILE.exists(), reason=f"the MovieLens data are not at {FILE}")
Whole = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


def liked() -> tuple[Whole, Whole]:
    """Return users and items of the ratings from 4 on, of users with at least 5 of them."""
    ratings = np.loadtxt(FILE, dtype=np.int64)
    ratings = ratings[ratings[:, 2] >= 4]
    ratings = ratings[np.bincount(ratings[:, 0])[ratings[:, 0]] >= 5]
    users, items = (np.unique(ratings[:, column], return_inverse=True)[1] for column in (0, 1))
    return users, items


def split(users: Whole, rng: np.random.Generator) -> Whole:
    """Return the part of each row: a tenth of each user's for validation, a tenth for the test."""
    parts = np.full(len(users), TRAIN)
    for user in range(users.max() + 1):
        rows = rng.permutation(np.flatnonzero(users == user))
        tenth = max(1, round(len(rows) / 10))
        parts[rows[:tenth]], parts[rows[tenth : 2 * tenth]] = TEST, VALIDATION
    return parts


@pytest.fixture(scope="module", params=[0, 1, 2])
def mapk(request: pytest.FixtureRequest) -> dict[str, Floats]:
    """Return MAP@10 by user of both baselines, all that may be known before the test masked."""
    users, items = liked()
    parts = split(users, np.random.default_rng(request.param))
    shape = int(users.max()) + 1, int(items.max()) + 1

    def matrix(rows: npt.NDArray[np.bool_]) -> coo_matrix:
        ones = np.ones(rows.sum(), dtype=np.float32)
        return coo_matrix((ones, (users[rows], items[rows])), shape=shape)

    train, test = (
        Interactions(mat=matrix(parts == part), check_num_negative_samples_is_valid=False, seed=0)
        for part in (TRAIN, TEST)
    )
    models: dict[str, Scorer] = {
        "popularity": Popularity.fit(train),
        "item_knn": ItemKNN.fit(train),
        "ease": EASE.fit(train),
    }
    known = matrix(parts != TEST)
    return {
        name: evaluate_per_user(model, test, exclude=known, metrics=("mapk",))["mapk"].to_numpy()
        for name, model in models.items()
    }


def test_popularity_has_the_map_that_is_known_for_it(mapk: dict[str, Floats]) -> None:
    assert mapk["popularity"].mean() == pytest.approx(0.055, abs=0.008)


def test_item_knn_has_the_map_that_is_known_for_it(mapk: dict[str, Floats]) -> None:
    # of the three seeds .132, .116, .122; the standard error of each is about .006
    assert mapk["item_knn"].mean() > 0.114


def test_item_knn_is_surely_better_than_popularity(mapk: dict[str, Floats]) -> None:
    assert paired_bootstrap(mapk["item_knn"], mapk["popularity"]).low > 0.04


def test_ease_is_surely_better_than_item_knn(mapk: dict[str, Floats]) -> None:
    assert paired_bootstrap(mapk["ease"], mapk["item_knn"]).low > 0
