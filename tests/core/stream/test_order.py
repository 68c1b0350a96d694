from __future__ import annotations

import tracemalloc
from hashlib import sha256

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leaven.errors import ParameterError
from leaven.stream.order import Order, epoch_of, permuted


class Permuted:
    """Passes in orders of their own."""

    def __init__(self, length, seed=0):
        self.length = length
        self.seed = seed

    def indices(self, epoch, ranks):
        return permuted(ranks, self.length, self.seed, epoch)


class Answer:
    """Passes of 10 that answer whatever they are told to."""

    def __init__(self, answer=None, length=10):
        self.length = length
        self.answer = answer

    def indices(self, epoch, ranks):
        return ranks if self.answer is None else self.answer(ranks)


class Backwards:
    """A sampler."""

    def over(self, dataset, seed):
        return Answer(lambda ranks: len(dataset) - 1 - ranks + seed, len(dataset))


def stream(passes):
    return Order(passes, passes.length, "sampler")


# ---- the stream of passes


@given(st.integers(1, 500), st.integers(0, 1500), st.integers(0, 1200))
@settings(max_examples=100, deadline=None)
def test_a_stretch_is_a_slice_of_the_stream(length, start, size):
    order = stream(Permuted(length, seed=3))
    whole = order.cells(0, start + size)
    part = order.cells(start, start + size)
    np.testing.assert_array_equal(part.indices, whole.indices[start:])
    np.testing.assert_array_equal(part.epochs, whole.epochs[start:])
    assert part.indices.dtype == part.epochs.dtype == np.int64


def test_passes_follow_each_other():
    cells = stream(Answer(length=3)).cells(1, 8)
    assert cells.indices.tolist() == [1, 2, 0, 1, 2, 0, 1]
    assert cells.epochs.tolist() == [0, 0, 1, 1, 1, 2, 2]


def test_a_pass_is_asked_only_for_what_is_wanted():
    asked = []

    class Curious(Answer):
        def indices(self, epoch, ranks):
            asked.append((epoch, ranks.tolist()))
            return ranks

    order = stream(Curious())
    order.cells(7, 7)
    order.cells(8, 12)
    order.cells(20, 21)
    assert asked == [(0, [8, 9]), (1, [0, 1]), (2, [0])]


def test_a_sampler_goes_over_a_dataset():
    order = Order.of(Backwards(), range(4), seed=0)
    assert order.length == 4
    assert order.cells(0, 6).indices.tolist() == [3, 2, 1, 0, 3, 2]


# ---- samplers that are wrong


@pytest.mark.parametrize("length", [0, -1, 2.0, True, None])
def test_a_pass_needs_a_length(length):
    with pytest.raises(ParameterError, match=r"sampler: a pass has length .*expected a whole number, at least 1"):
        stream(Answer(length=length))


@pytest.mark.parametrize(
    ("answer", "got"),
    [
        (lambda ranks: ranks[:-1], r"int64 of shape \(3,\)"),
        (lambda ranks: ranks[:, None], r"int64 of shape \(4, 1\)"),
        (lambda ranks: ranks / 2, "float64"),
        (lambda ranks: ranks > 0, "bool"),
        (lambda ranks: None, "object"),
        (lambda ranks: [str(rank) for rank in ranks], "<U"),
    ],
)
def test_what_is_not_as_many_integers_is_refused(answer, got):
    with pytest.raises(ParameterError, match=f"sampler: pass 2: asked for 4 samples: expected .*got {got}"):
        stream(Answer(answer)).cells(21, 25)


@pytest.mark.parametrize(("seed", "wrong"), [(1, 4), (-1, -1), (-100, -100)])
def test_samples_that_do_not_exist_are_refused(seed, wrong):
    text = f"sampler Backwards: pass 1: there is no sample {wrong}; the dataset has samples 0 to 3"
    with pytest.raises(ParameterError, match=text):
        Order.of(Backwards(), range(4), seed).cells(4, 8)


def test_lists_are_as_good_as_arrays():
    assert stream(Answer(lambda ranks: ranks.tolist())).cells(2, 4).indices.tolist() == [2, 3]


# ---- the keyed permutation


def test_the_permutation_is_the_same_in_every_version():
    """Orders that runs of former versions have seen must come again, or they cannot be gone on with."""
    assert permuted(np.arange(10), 10, 3, 0).tolist() == [7, 8, 4, 3, 0, 2, 9, 5, 6, 1]
    assert permuted(np.arange(5, 9), 10**9, 1, 3).tolist() == [91499336, 79403319, 238724813, 165220276]
    digest = sha256()
    for length in (1, 2, 3, 10, 97, 1000, 65537, 10**9):
        for seed in (0, 1, -5, 2**70 + 3):
            for number in (0, 1, 7):
                digest.update(permuted(np.arange(min(length, 500)), length, seed, number).tobytes())
    assert digest.hexdigest() == "9be9d0e69aa1da9a37416d75c62af56aec4843697559b5f6d1dcaaefec8e2073"


def test_it_is_a_permutation_of_any_length():
    for length in range(1, 301):
        for number in range(3):
            np.testing.assert_array_equal(np.sort(permuted(np.arange(length), length, 5, number)), np.arange(length))


@given(st.integers(1, 3000), st.integers(-(2**70), 2**70), st.integers(0, 2**62))
@settings(max_examples=60, deadline=None)
def test_it_is_a_permutation_under_any_key(length, seed, number):
    np.testing.assert_array_equal(np.sort(permuted(np.arange(length), length, seed, number)), np.arange(length))


@given(st.integers(1, 300), st.lists(st.integers(0, 2**62), min_size=1, max_size=20))
@settings(max_examples=60, deadline=None)
def test_each_rank_may_have_a_permutation_of_its_own(length, numbers):
    ranks = np.arange(len(numbers)) % length
    found = permuted(ranks, length, 7, np.array(numbers))
    assert found.tolist() == [int(permuted(ranks[i : i + 1], length, 7, n)[0]) for i, n in enumerate(numbers)]


def test_seeds_and_numbers_give_permutations_of_their_own():
    orders = {permuted(np.arange(50), 50, seed, number).tobytes() for seed in range(20) for number in range(20)}
    orders.add(permuted(np.arange(50), 50, 2**64, 0).tobytes())
    assert len(orders) == 401


@pytest.mark.parametrize("length", [2, 5, 12, 100])
def test_each_sample_comes_at_each_rank_equally_often(length):
    """Chi-square of where each sample lands: for permutations ``(n - 1) / n`` of it has ``(n - 1) ** 2`` degrees."""
    passes = 4000
    indices = stream(Permuted(length, 11)).cells(0, passes * length).indices.reshape(passes, length)
    counts = np.stack([np.bincount(column, minlength=length) for column in indices.T])
    expected = passes / length
    chi_square = ((counts - expected) ** 2 / expected).sum() * (length - 1) / length
    freedom = (length - 1) ** 2
    assert abs(chi_square - freedom) < 5 * np.sqrt(2 * freedom)


def test_neighbours_are_not_correlated():
    indices = permuted(np.arange(100_000), 100_000, 5, 0)
    assert abs(np.corrcoef(indices[:-1], indices[1:])[0, 1]) < 0.02
    assert abs(np.corrcoef(np.arange(100_000), indices)[0, 1]) < 0.02


def test_passes_are_not_correlated():
    one, other = (permuted(np.arange(100_000), 100_000, 5, number) for number in (0, 1))
    assert abs(np.corrcoef(one, other)[0, 1]) < 0.02
    assert (one == other).sum() < 10  # one is expected


def test_a_billion_samples_need_no_memory():
    order = stream(Permuted(10**9, 1))
    tracemalloc.start()
    try:
        for start in (0, 123_456_789, 3 * 10**9 - 7, 10**15):
            cells = order.cells(start, start + 64)
            assert len(set(cells.indices.tolist())) > 57
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 1 << 20


def test_what_comes_again_in_a_pass_has_a_cell_of_its_own():
    passes = Answer(lambda ranks: ranks // 5)
    plain = Order(passes, 10, "x").cells(0, 30)
    passes.repeats = True
    cells = Order(passes, 10, "x").cells(0, 30)
    assert len(set(zip(plain.epochs.tolist(), plain.indices.tolist(), strict=True))) == 6
    assert len(set(zip(cells.epochs.tolist(), cells.indices.tolist(), strict=True))) == 30
    assert [epoch_of(epoch) for epoch in cells.epochs.tolist()] == plain.epochs.tolist()
    assert cells.indices.tolist() == plain.indices.tolist()
    assert cells.epochs.min() >= 0


def test_cells_of_any_stretch_are_the_same():
    passes = Answer(lambda ranks: ranks // 5)
    passes.repeats = True
    order = Order(passes, 10, "x")
    whole, part = order.cells(0, 40), order.cells(13, 27)
    assert part.epochs.tolist() == whole.epochs.tolist()[13:27]
