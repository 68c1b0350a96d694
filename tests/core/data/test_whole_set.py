"""Whole-set operations: results one after the other, and means."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leaven import ParameterError, WorkerThreadPool
from leaven.data.array_source import ArraySource
from leaven.data.stream_sources import CallableSource
from leaven.data.whole_set import batch_map_concat, batch_map_mean

DATA = np.random.default_rng(0).normal(size=(23, 3))


@given(st.integers(1, 40), st.one_of(st.none(), st.integers(1, 9)))
def test_results_and_means_do_not_depend_on_the_batches(batch_size, n_batches):
    data = DATA[: None if n_batches is None else n_batches * batch_size]
    double, sums = batch_map_concat([DATA], lambda x: (x * 2, x.sum(1)), batch_size, n_batches=n_batches)
    np.testing.assert_array_equal(double, data * 2)
    np.testing.assert_allclose(sums, data.sum(1))
    source = ArraySource([DATA])
    mean, count = source.batch_map_mean(lambda x: (x.sum(0), len(x)), batch_size, n_batches=n_batches)
    np.testing.assert_allclose(mean, data.mean(0))
    assert (count.dtype, count.shape, float(count)) == (np.float64, (), 1)
    (by_axis,) = source.batch_map_mean(lambda x: x, batch_size, sum_axis=(0, 1), n_batches=n_batches)
    np.testing.assert_allclose(by_axis, data.sum() / len(data))


@pytest.mark.parametrize("value", [3, 3.0, True, np.float32(3), np.int8(3), np.uint64(3), np.array(3), 3 + 0j])
def test_any_number_has_a_mean(value):
    (mean,) = batch_map_mean([np.arange(6)], lambda x: value, 3)
    assert mean == 2 * value / 6
    assert mean.dtype in (np.float64, np.complex128)


def test_what_the_function_returned_is_left_alone_and_may_be_used_again():
    buffer, returned = np.zeros(2, np.int64), []

    def double(x):
        buffer[: len(x)] = x * 2
        returned.append(buffer[: len(x)])
        return returned[-1]

    (found,) = batch_map_concat([np.arange(5)], double, 2)
    assert found.tolist() == [0, 2, 4, 6, 8]
    sums = [np.ones(3, np.int8), np.full(3, 127, np.int8)]
    (mean,) = batch_map_mean([np.arange(2)], lambda x: sums[x[0]], 1)
    assert mean.tolist() == [64.0] * 3
    assert [part.tolist() for part in sums] == [[1] * 3, [127] * 3]


def test_what_is_left_out_does_not_count():
    def of_even(x):
        return None if x[0] % 2 else x.astype(float)

    (found,) = batch_map_concat([np.arange(6)], of_even, 1)
    assert found.tolist() == [0, 2, 4]
    (mean,) = batch_map_mean([np.arange(6)], of_even, 1, sum_axis=0)
    assert mean == 2
    for nothing in (lambda x: None, lambda x: ()):
        assert batch_map_concat([np.arange(6)], nothing, 2) == ()
        assert batch_map_mean([np.arange(6)], nothing, 2) == ()


def test_no_samples_give_no_results():
    assert batch_map_concat([np.zeros(0)], lambda x: x, 2) == ()
    assert batch_map_mean([np.zeros(0)], lambda x: x.sum(), 2) == ()


def test_progress_sees_every_batch():
    seen = []

    def progress(batches, total, leave):
        seen.append((total, leave))
        for batch in batches:
            seen.append(len(batch[0]))
            yield batch

    batch_map_concat([np.arange(5)], lambda x: x, 2, progress=progress)
    assert seen == [(3, False), 2, 2, 1]
    seen.clear()
    batch_map_mean(CallableSource(lambda size: [(np.arange(size),)] * 3), np.sum, 2, n_batches=2, progress=progress)
    assert seen == [(2, False), 2, 2]


def test_arguments_go_first_and_batches_may_be_shuffled():
    order = np.random.RandomState(1).permutation(5)
    options = {"shuffle": np.random.RandomState(1), "prepend_args": [10]}
    (found,) = batch_map_concat([np.arange(5)], lambda ten, x: x * ten, 2, **options)
    assert found.tolist() == (order * 10).tolist()


def test_a_pool_prepares_the_batches_and_is_left_in_order():
    with WorkerThreadPool(2) as pool:
        source = ArraySource([np.arange(5)], repeats=-1)
        (found,) = source.batch_map_concat(lambda x: x, 3, n_batches=4, work_pool=pool)
        assert found.tolist() == [0, 1, 2, 3, 4, 0, 1, 2, 3, 4, 0, 1]
        (mean,) = batch_map_mean([np.arange(5)], np.sum, 3, work_pool=pool)
        assert mean == 2
        with pytest.raises(ZeroDivisionError):
            source.batch_map_concat(lambda x: 1 // 0, 1, n_batches=4, work_pool=pool)


@pytest.mark.parametrize(
    ("operation", "function", "text"),
    [
        (batch_map_concat, lambda x: [1], "batch 0: the function returned list: expected an array"),
        (batch_map_concat, lambda x: 1.5, "returned float"),
        (batch_map_concat, lambda x: np.float64(1), "returned float64"),
        (batch_map_concat, lambda x: (x,) if x[0] else (x, x), "batch 1: 1 results, and 2 of those before"),
        (batch_map_concat, lambda x: np.zeros((2, 2 + x[0])), "do not fit together"),
        (batch_map_mean, lambda x: "1", "batch 0: the function returned str: expected a number"),
        (batch_map_mean, lambda x: [1], "returned list"),
        (batch_map_mean, lambda x: np.array(["a"]), "returned ndarray"),
        (batch_map_mean, lambda x: (1,) if x[0] else (1, 1), "batch 1: 1 results, and 2"),
        (batch_map_mean, lambda x: x if x[0] else x[:1], r"shape \(2,\), and \(1,\) before; .*sum_axis=0"),
    ],
)
def test_results_that_are_none(operation, function, text):
    with pytest.raises(ParameterError, match=text):
        operation([np.arange(4)], function, 2)


@pytest.mark.parametrize("n_batches", [0, -1, 1.5, True])
def test_numbers_of_batches(n_batches):
    with pytest.raises(ParameterError, match=f"n_batches={n_batches}"):
        batch_map_concat([np.arange(4)], lambda x: x, 2, n_batches=n_batches)
    with pytest.raises(ParameterError, match="no end"):
        batch_map_mean(ArraySource([np.arange(4)], repeats=-1), np.sum, 2)


def test_numbers_do_not_become_text():
    with pytest.raises(ParameterError, match="do not fit together: <U21 and int64"):
        batch_map_concat([np.arange(4)], lambda x: x if x[0] else x.astype(str), 2)
