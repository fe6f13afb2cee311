import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collie_core.interactions.batches import BatchKey, BatchSampler, HDF5Sampler, generator

sizes = st.integers(1, 50), st.integers(1, 12), st.booleans(), st.booleans()


def rows_of(sampler: BatchSampler) -> list[int]:
    rows: list[int] = []
    for batch in sampler:
        given = batch.rows
        rows += range(given[0], sum(given)) if isinstance(given, tuple) else given.tolist()
    return rows


@pytest.mark.parametrize("kind", [BatchSampler, HDF5Sampler])
@given(*sizes)
def test_an_epoch_has_each_row_once(
    kind: type[BatchSampler], num_rows: int, batch_size: int, shuffle: bool, drop_last: bool
) -> None:
    sampler = kind(num_rows, batch_size, shuffle, 0, drop_last)
    rows = rows_of(sampler)
    assert len(set(rows)) == len(rows)
    assert len(rows) == (num_rows - num_rows % batch_size if drop_last else num_rows)
    assert len(list(sampler)) == len(sampler)


@pytest.mark.parametrize("kind", [BatchSampler, HDF5Sampler])
def test_rows_are_in_order_without_shuffle(kind: type[BatchSampler]) -> None:
    assert rows_of(kind(10, 4, False, 0)) == list(range(10))


@pytest.mark.parametrize("kind", [BatchSampler, HDF5Sampler])
def test_epochs_differ_and_repeat_with_the_seed(kind: type[BatchSampler]) -> None:
    one, other = kind(100, 5, True, 3), kind(100, 5, True, 3)
    epochs = [rows_of(one) for _ in range(3)]
    assert epochs[0] != epochs[1] != epochs[2]
    assert [rows_of(other) for _ in range(3)] == epochs


def test_an_epoch_can_be_set() -> None:
    sampler = BatchSampler(100, 5, True, 3)
    third = [rows_of(sampler) for _ in range(3)][2]
    sampler.set_epoch(2)
    assert rows_of(sampler) == third


def test_an_iterator_thrown_away_is_no_epoch() -> None:
    sampler = BatchSampler(100, 5, True, 3)
    iter(sampler)
    assert [batch.key.epoch for batch in sampler] == [0] * 20


def test_batches_are_numbered() -> None:
    assert [batch.key.number for batch in BatchSampler(10, 4, True, 3)] == [0, 1, 2]


def test_paths_below_a_seed_have_streams_of_their_own() -> None:
    paths = [(), (0,), (0, 0), (1,), (0, 1)]
    firsts = {int(generator(7, *path).integers(2**62)) for path in paths}
    assert len(firsts) == len(paths)


def test_batches_draw_the_same_from_the_same_key_alone() -> None:
    keys = [BatchKey(7, 0, 0), BatchKey(7, 0, 1), BatchKey(7, 1, 0), BatchKey(8, 0, 0)]
    firsts = [int(key.generator().integers(2**62)) for key in keys]
    assert firsts == [int(key.generator().integers(2**62)) for key in keys]
    assert len(set(firsts)) == len(keys)
    assert int(generator(7, 0).integers(2**62)) not in firsts  # the permutation's


def test_batches_of_neighbouring_numbers_draw_as_if_they_were_far_apart() -> None:
    words = [BatchKey(7, 0, n).generator().bit_generator.random_raw(8) for n in range(2_000)]
    bits = np.unpackbits(np.array(words).view(np.uint8), axis=1)
    apart = bits[1:] != bits[:-1]
    spread = 0.5 / np.sqrt(len(apart))  # of a share, were every bit a coin
    assert np.abs(bits.mean(axis=0) - 0.5).max() < 5 * spread
    assert np.abs(apart.mean(axis=0) - 0.5).max() < 5 * spread


def test_global_random_state_is_not_touched() -> None:
    before = np.random.get_state()[1].tolist()  # type: ignore[index]  # noqa: NPY002
    rows_of(BatchSampler(10, 4, True, 3))
    assert np.random.get_state()[1].tolist() == before  # type: ignore[index]  # noqa: NPY002


@pytest.mark.parametrize("batch_size", [0, -1])
def test_batch_size_below_one_is_refused(batch_size: int) -> None:
    with pytest.raises(ValueError, match="must be at least 1"):
        BatchSampler(10, batch_size, False, 0)
