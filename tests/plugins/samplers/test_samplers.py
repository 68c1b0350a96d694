from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leaven.errors import ParameterError
from leaven.stream.order import Order, permuted
from leaven_plugins.samplers.blocks.sampler import Blocks
from leaven_plugins.samplers.sequential.sampler import Sequential
from leaven_plugins.samplers.shuffle.sampler import Shuffle

SHUFFLED = [Shuffle(), Blocks(size=3, window=2), Blocks(size=4, window=1), Blocks(size=1, window=1), Blocks()]


def whole(sampler, length, epoch=0, seed=0):
    passes = sampler.over(range(length), seed)
    return passes.indices(epoch, np.arange(length))


def likely(chi_square, freedom):
    """Whether independent draws exceed it once in 10^5 times (Wilson and Hilferty's approximation)."""
    part = 2 / (9 * freedom)
    return chi_square < freedom * (1 - part + 4.26 * part**0.5) ** 3


def test_sequential_counts_up():
    assert whole(Sequential(), 5, epoch=3, seed=9).tolist() == [0, 1, 2, 3, 4]


def test_shuffle_is_the_keyed_permutation():
    assert whole(Shuffle(), 10, seed=3).tolist() == [7, 8, 4, 3, 0, 2, 9, 5, 6, 1]
    np.testing.assert_array_equal(whole(Shuffle(), 97, 5, 11), permuted(np.arange(97), 97, 11, 5))


def test_blocks_are_the_same_in_every_version():
    assert whole(Blocks(size=3, window=2), 10, seed=3).tolist() == [1, 2, 9, 7, 8, 0, 5, 3, 6, 4]


@pytest.mark.parametrize("sampler", SHUFFLED, ids=str)
@pytest.mark.parametrize("epoch", [0, 1, 1000])
def test_every_pass_of_any_length_has_each_sample_once(sampler, epoch):
    for length in range(1, 122):
        np.testing.assert_array_equal(np.sort(whole(sampler, length, epoch, seed=length)), np.arange(length))


@given(st.integers(1, 5000), st.integers(1, 200), st.integers(1, 50), st.integers(-(2**70), 2**70), st.integers(0, 99))
@settings(max_examples=100, deadline=None)
def test_blocks_of_any_size_have_each_sample_once(length, size, window, seed, epoch):
    indices = whole(Blocks(size, window), length, epoch, seed)
    np.testing.assert_array_equal(np.sort(indices), np.arange(length))


@pytest.mark.parametrize("sampler", SHUFFLED, ids=str)
def test_seeds_and_passes_have_orders_of_their_own(sampler):
    orders = {whole(sampler, 50, epoch, seed).tobytes() for seed in range(20) for epoch in range(20)}
    assert len(orders) == 400


@pytest.fixture(scope="module", params=[2, 5, 12])
def length(request):
    return request.param


@pytest.fixture(scope="module", params=SHUFFLED, ids=str)
def orders(request, length):
    """1000 passes, ``(passes, length)``."""
    return Order.of(request.param, range(length), seed=5).cells(0, 1000 * length).indices.reshape(1000, length)


def test_each_sample_comes_at_each_rank_equally_often(orders):
    passes, length = orders.shape
    for column in orders.T:
        counts = np.bincount(column, minlength=length)
        assert likely(((counts - passes / length) ** 2).sum() / (passes / length), length - 1)


@pytest.mark.parametrize("apart", [1, 2])
def test_passes_know_nothing_of_each_other(orders, apart):
    """What comes at a rank says nothing about what comes there in another pass: a contingency table for each rank."""
    length = orders.shape[1]
    for column in orders.T:
        table = np.zeros((length, length))
        np.add.at(table, (column[:-apart], column[apart:]), 1)
        expected = np.outer(table.sum(1), table.sum(0)) / table.sum()
        assert likely(((table - expected) ** 2 / expected).sum(), (length - 1) ** 2)


@pytest.mark.parametrize("sampler", [Shuffle(), Blocks(size=100, window=5)], ids=str)
def test_ranks_are_not_correlated_from_pass_to_pass(sampler):
    length = 100_000
    ranks = [np.argsort(whole(sampler, length, epoch)) for epoch in range(3)]
    for one, other in [(0, 1), (1, 2), (0, 2)]:
        assert abs(np.corrcoef(ranks[one], ranks[other])[0, 1]) < 0.1  # 1000 blocks: standard deviation 0.03


def test_a_window_of_blocks_reads_its_blocks_only():
    length, size, window = 1003, 10, 4
    for epoch in range(20):
        indices = whole(Blocks(size, window), length, epoch)
        for start in range(0, length, size * window):
            here = np.sort(indices[start : start + size * window])
            gaps = np.diff(here, append=here[0] + length)  # around the circle
            assert (gaps > 1).sum() <= window
            assert len(here) == min(size * window, length - start)


def test_samples_of_a_window_are_mixed():
    """A window's samples come in a random order: rank within the window and within the dataset are not correlated."""
    indices = whole(Blocks(size=50, window=20), 100_000)
    for start in range(0, 100_000, 1000):
        here = np.argsort(np.argsort(indices[start : start + 1000]))
        assert abs(np.corrcoef(here, np.arange(1000))[0, 1]) < 0.16  # five standard deviations


def test_windows_have_orders_of_their_own():
    indices = whole(Blocks(size=20, window=1), 200)
    assert len({(window - window.min()).tobytes() for window in indices.reshape(10, 20) if np.ptp(window) == 19}) >= 9


def test_no_two_samples_always_share_a_block():
    """Nor do others make up the last block, which is shorter, in every pass."""
    together = np.zeros(11)
    last = np.zeros(12, int)
    for epoch in range(200):
        indices = whole(Blocks(size=5, window=1), 12, epoch)
        block = np.argsort(indices) // 5
        together += block[1:] == block[:-1]
        last[indices[10:]] += 1
    assert together.max() < 200
    assert together.min() > 0
    assert last.min() > 0


@pytest.mark.parametrize("sampler", [Shuffle(), Blocks()], ids=str)
@pytest.mark.parametrize("length", [10**9, 2**50])
def test_the_end_of_huge_datasets_is_reached(sampler, length):
    indices = sampler.over(range(length), 1).indices(3, np.arange(length - 64, length))
    assert len(set(indices.tolist())) == 64
    assert indices.min() >= 0
    assert indices.max() < length


def test_a_window_larger_than_any_dataset_is_no_trouble():
    for huge in (Blocks(size=10**30), Blocks(size=2, window=10**30), Blocks(10**30, 10**30)):
        np.testing.assert_array_equal(np.sort(whole(huge, 10)), np.arange(10))


@pytest.mark.parametrize("name", ["size", "window"])
@pytest.mark.parametrize("value", [0, -1, 1.5, True, "8", None])
def test_blocks_refuse_what_is_not_a_number_of_samples(name, value):
    with pytest.raises(ParameterError, match=f"blocks: {name}=.*expected a whole number, at least 1"):
        Blocks(**{name: value})
