"""Pools: the serial order, exceptions at their place, constants, ends."""

from __future__ import annotations

import gc
import threading

import numpy as np
import pytest
import task_parts

from leaven import (
    LeavenError,
    NoMoreTasks,
    ParameterError,
    RecipeError,
    TaskError,
    WorkerProcessPool,
    WorkerThreadPool,
)
from leaven.data.array_source import ArraySource


@pytest.fixture(params=[WorkerThreadPool, WorkerProcessPool], ids=["threads", "processes"])
def pool(request):
    with request.param(2) as pool:
        yield pool


def plain(batches):
    return [[part.tolist() for part in batch] for batch in batches]


@pytest.mark.parametrize("buffer_size", [1, 3, 20])
def test_batches_are_those_of_the_serial_iterator(pool, buffer_size):
    source = task_parts.Source(20)
    parallel = pool.parallel_data_source(source, buffer_size)
    expected = [
        [part.tolist() for part in source.samples_by_indices_nomapping(indices)]
        for indices in source.batch_indices_iterator(3, np.random.RandomState(5))
    ]
    assert plain(parallel.batch_iterator(3, shuffle=np.random.RandomState(5))) == expected
    assert plain(parallel.batch_iterator(3, np.random.RandomState(5))) == expected
    assert plain(parallel.batch_iterator(30))[0][0] == list(range(20))


def test_lists_of_arrays_are_sources(pool):
    arrays = [np.arange(10), np.arange(20_000.0).reshape(10, 2000)]
    order = np.random.default_rng(1).permutation(10)
    numbers, values = zip(*pool.parallel_data_source(arrays).batch_iterator(4, np.random.default_rng(1)), strict=True)
    assert np.concatenate(numbers).tolist() == order.tolist()
    assert (np.concatenate(values) == arrays[1][order]).all()
    assert [len(part) for part in numbers] == [4, 4, 2]
    (batch,) = pool.parallel_data_source(arrays).batch_iterator(10, shuffle=True)
    assert batch[0].tolist() == np.random.default_rng(0).permutation(10).tolist()


def test_indices_are_drawn_here_and_as_many_ahead_as_asked_for(pool):
    task_parts.DRAWN.clear()
    iterator = pool.parallel_data_source(task_parts.Source(40), 4).batch_iterator(2)
    assert len(task_parts.DRAWN) == 4
    next(iterator)
    assert [threading.main_thread()] * 5 == task_parts.DRAWN
    iterator.close()
    assert list(iterator) == []


def test_an_exception_comes_at_its_batch_and_ends_the_iterator(pool):
    iterator = pool.parallel_data_source(task_parts.Source(20, fails=True)).batch_iterator(2)
    assert [next(iterator)[0].tolist() for _ in range(2)] == [[0, 1], [2, 3]]
    with pytest.raises(ValueError, match="no sample 5"):
        next(iterator)
    assert list(iterator) == []
    assert len(list(pool.parallel_data_source(task_parts.Source(6)).batch_iterator(2))) == 3


def test_what_the_generator_raises_comes_after_the_tasks_before_it(pool):
    def tasks():
        yield task_parts.double, (1,)
        yield task_parts.double, [2]
        raise OSError("no more")

    stream = pool.work_stream(tasks())
    assert [stream.retrieve(), stream.retrieve()] == [2, 4]
    with pytest.raises(OSError, match="no more"):
        stream.retrieve()
    with pytest.raises(NoMoreTasks, match="the stream of tasks has ended"):
        stream.retrieve()


def test_none_is_a_result_like_any_other(pool):
    stream = pool.work_stream((task_parts.nothing, ()) for _ in range(3))
    assert stream.retrieve() is None
    assert list(stream.retrieve_iter()) == [None, None]
    with pytest.raises(NoMoreTasks):
        stream.retrieve()


def test_streams_share_a_pool_without_waiting_for_each_other(pool):
    first = pool.work_stream(((task_parts.double, (number,)) for number in range(30)), 2)
    second = pool.work_stream((task_parts.double, (number,)) for number in range(100, 105))
    assert list(second) == [200, 202, 204, 206, 208]
    assert list(first) == [2 * number for number in range(30)]


def test_a_stream_that_is_forgotten_leaves_nothing_in_the_pool(pool):
    lanes = pool._workers._supervisor._lanes
    stream = pool.work_stream((task_parts.double, (number,)) for number in range(30))
    assert stream.retrieve() == 0
    del stream
    gc.collect()
    assert list(pool.work_stream([(task_parts.double, (3,))])) == [6]  # orders are obeyed one after the other
    assert len(lanes) <= 1


def test_constants_cross_once_to_each_process():
    values = np.arange(100_000)
    with WorkerProcessPool(2) as pool:
        constant = pool.shared_constant({"inner": [values]})
        objects = list(pool.work_stream((task_parts.identity, (constant,)) for _ in range(20)))
        assert len(set(objects)) <= 2
        assert list(pool.work_stream([(task_parts.mean, (pool.shared_constant(values),))])) == [values.mean()]
        constants = (pool.shared_constant(number) for number in range(40))
        found = pool.work_stream(((task_parts.double, (one,)) for one in constants), 3)
        assert list(found) == [2 * number for number in range(40)]


def test_threads_share_what_they_are_given():
    with WorkerThreadPool(2) as pool:
        value = object()
        assert pool.shared_constant(value) is value
        assert list(pool.work_stream([(lambda given: given is value, (value,))])) == [True]


def test_a_process_that_dies_loses_nothing(tmp_path):
    with WorkerProcessPool(2) as pool:
        tasks = ((task_parts.die_once, (tmp_path / str(number // 8), number)) for number in range(20))
        assert list(pool.work_stream(tasks)) == list(range(20))


class Endless:
    is_random_access = False

    def batch_indices_iterator(self, batch_size, shuffle=None):
        return iter(())

    def samples_by_indices(self, indices):
        return indices


def test_mistakes(pool):
    for source in (iter([]), Endless(), 5):
        with pytest.raises(TypeError, match="no source with random access"):
            pool.parallel_data_source(source)
    with pytest.raises(ParameterError, match=r"arrays of one length, got \[2, 3\]"):
        pool.parallel_data_source([np.zeros(2), np.zeros(3)])
    with pytest.raises(ParameterError, match="one length, got none"):
        ArraySource([])
    with pytest.raises(ParameterError, match="batch_size=0"):
        pool.parallel_data_source([np.zeros(2)]).batch_iterator(0)
    with pytest.raises(ParameterError, match="shuffle=-3"):
        pool.parallel_data_source([np.zeros(2)]).batch_iterator(1, shuffle=-3)
    with pytest.raises(ParameterError, match="batch_buffer_size=0"):
        pool.parallel_data_source([np.zeros(2)], 0)
    with pytest.raises(ParameterError, match="task_generator: a int is no iterable"):
        pool.work_stream(5)
    for task in (5, (task_parts.double,), (5, ()), (task_parts.double, 3)):
        with pytest.raises(ParameterError, match=r"task .*: "):
            pool.work_stream([task]).retrieve()
    with pytest.raises(ParameterError, match="processes=0"):
        type(pool)(0)


def test_a_source_that_cannot_be_handed_over_is_refused():
    source = task_parts.Source(4)
    source.lock = threading.Lock()
    with WorkerProcessPool() as pool, pytest.raises(RecipeError, match=r"Source\.lock: a lock"):
        pool.parallel_data_source(source)


def test_a_closed_pool_says_so(pool):
    stream = pool.work_stream((task_parts.sleep, (0.05,)) for _ in range(30))
    pool.close()
    with pytest.raises(LeavenError, match="closed"):
        for _ in stream:
            pass


def test_a_forgotten_pool_closes_itself():
    stream = WorkerProcessPool(1).work_stream([(task_parts.double, (1,))])
    assert stream.retrieve() == 2


def test_an_exception_that_cannot_be_described_ends_the_stream(pool):
    stream = pool.work_stream([(task_parts.double, (1,)), (task_parts.fail, (task_parts.MuteError,))])
    assert next(stream) == 2
    with pytest.raises((task_parts.MuteError, TaskError)):
        next(stream)
    assert list(stream) == []


def test_a_result_whose_taking_was_interrupted_comes_again(pool, monkeypatch):
    stream = pool.work_stream(((task_parts.double, (number,)) for number in range(6)), 2)
    taken = stream._lane.take

    def interrupted(*arguments):
        taken(*arguments)
        raise KeyboardInterrupt

    found = []
    for _ in range(3):
        with monkeypatch.context() as patched:
            patched.setattr(stream._lane, "take", interrupted)
            with pytest.raises(KeyboardInterrupt):
                next(stream)
        found.append(next(stream))
    assert [*found, *stream] == [0, 2, 4, 6, 8, 10]


def test_a_generator_that_was_interrupted_is_not_one_that_has_ended(pool):
    def tasks():
        for number in range(4):
            if number == 3:
                raise KeyboardInterrupt
            yield task_parts.double, (number,)

    stream = pool.work_stream(tasks(), 2)
    found = [next(stream)]
    with pytest.raises(KeyboardInterrupt):
        next(stream)
    found += [next(stream), next(stream)]
    assert found == [0, 2, 4]
    with pytest.raises(TaskError, match="generator of tasks was interrupted by KeyboardInterrupt"):
        next(stream)
    assert list(stream) == []
