import numpy as np
import pytest

from collie_core.interactions import Interactions


@pytest.fixture
def tiny() -> Interactions:
    """12 users of 10 items, who like those of their own remainder by 3, and one other."""
    rng = np.random.default_rng(0)
    pairs = set()
    for user in range(12):
        pairs |= {(user, item) for item in range(10) if item % 3 == user % 3}
        pairs.add((user, int(rng.integers(10))))
    users, items = np.array(sorted(pairs)).T
    return Interactions(
        users=users,
        items=items,
        num_items=10,
        allow_missing_ids=True,
        num_negative_samples=3,
        seed=0,
    )
