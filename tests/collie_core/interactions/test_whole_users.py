from itertools import chain

import pytest

from collie_core.interactions import InteractionsDataLoader

USERS, ITEMS = [4, 0, 2, 0, 2, 0, 1], [5, 0, 3, 1, 4, 2, 5]
ROWS = sorted(zip(USERS, ITEMS, strict=True))


def loader_of(batch_size: int, **options: object) -> InteractionsDataLoader:
    data = {"users": USERS, "items": ITEMS, "allow_missing_ids": True, "num_negative_samples": 2}
    defaults = {"seed": 1, "num_workers": 0, "by_user": True, "shuffle": True}
    return InteractionsDataLoader(batch_size=batch_size, **(data | defaults | options))


def epoch_of(loader: InteractionsDataLoader) -> list[list[tuple[int, int]]]:
    return [list(zip(users.tolist(), items.tolist(), strict=True)) for (users, items), _ in loader]


@pytest.mark.parametrize("batch_size", [1, 2, 3, 4, 9])
@pytest.mark.parametrize("shuffle", [False, True])
def test_each_batch_is_all_rows_of_its_users(batch_size: int, shuffle: bool) -> None:
    loader = loader_of(batch_size, shuffle=shuffle)
    batches = epoch_of(loader)
    assert len(loader) == len(batches) == -(-4 // batch_size)
    assert sorted(chain.from_iterable(batches)) == ROWS
    for batch in batches:
        of_batch = {user for user, _ in batch}
        assert sorted(batch) == [row for row in ROWS if row[0] in of_batch]
    assert {len({user for user, _ in batch}) for batch in batches[:-1]} <= {batch_size}


def test_users_come_in_another_order_in_each_epoch_and_for_each_seed_the_same() -> None:
    first, second = loader_of(1), loader_of(1)
    epochs = [epoch_of(first) for _ in range(4)]
    assert [epoch_of(second) for _ in range(4)] == epochs
    assert len({str(epoch) for epoch in epochs}) > 1


def test_a_last_batch_of_fewer_users_can_be_dropped() -> None:
    assert len(epoch_of(loader_of(3, drop_last=True))) == 1


def test_workers_load_the_same_batches() -> None:
    assert epoch_of(loader_of(2, num_workers=2)) == epoch_of(loader_of(2))
