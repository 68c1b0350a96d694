from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leaven.stream.order import Order


@given(st.integers(1, 3000), st.integers(0, 2**70), st.integers(0, 3))
@settings(max_examples=60, deadline=None)
def test_every_pass_is_a_permutation(length, seed, epoch):
    cells = Order(length, seed, shuffle=True).cells(epoch * length, (epoch + 1) * length)
    assert sorted(cells.indices) == list(range(length))
    assert set(cells.epochs) == {epoch}


@given(st.integers(1, 500), st.integers(0, 1500), st.integers(0, 200))
@settings(max_examples=60, deadline=None)
def test_a_stretch_is_a_slice_of_the_stream(length, start, size):
    order = Order(length, seed=3, shuffle=True)
    whole = order.cells(0, start + size)
    part = order.cells(start, start + size)
    np.testing.assert_array_equal(part.indices, whole.indices[start:])
    np.testing.assert_array_equal(part.epochs, whole.epochs[start:])


def test_unshuffled_order_counts_up_and_starts_again():
    cells = Order(3).cells(1, 8)
    assert cells.indices.tolist() == [1, 2, 0, 1, 2, 0, 1]
    assert cells.epochs.tolist() == [0, 0, 1, 1, 1, 2, 2]


def test_seeds_and_passes_give_orders_of_their_own():
    orders = {tuple(Order(50, seed, True).cells(0, 50).indices) for seed in range(20)}
    orders |= {tuple(Order(50, 0, True).cells(50 * epoch, 50 * epoch + 50).indices) for epoch in range(1, 20)}
    assert len(orders) == 39


@pytest.mark.parametrize("length", [2, 5, 12, 100])
def test_each_sample_comes_at_each_place_equally_often(length):
    """Chi-square of where each sample lands over many passes: mean df, standard deviation sqrt(2 df)."""
    passes = 4000
    indices = Order(length, 11, True).cells(0, passes * length).indices.reshape(passes, length)
    counts = np.stack([np.bincount(column, minlength=length) for column in indices.T])
    expected = passes / length
    chi_square = ((counts - expected) ** 2 / expected).sum()
    freedom = (length - 1) ** 2
    assert abs(chi_square - freedom) < 5 * np.sqrt(2 * freedom)


def test_neighbours_are_not_correlated():
    indices = Order(100_000, 5, True).cells(0, 100_000).indices.astype(float)
    assert abs(np.corrcoef(indices[:-1], indices[1:])[0, 1]) < 0.02
    assert abs(np.corrcoef(np.arange(100_000), indices)[0, 1]) < 0.02


def test_a_billion_samples_need_no_memory():
    cells = Order(10**9, 1, True).cells(3 * 10**9 + 5, 3 * 10**9 + 5 + 64)
    assert len(set(cells.indices.tolist())) == 64
    assert cells.indices.max() < 10**9
    assert cells.indices.min() >= 0
