"""Pools of threads and of processes that prepare batches, or run functions, with the results in the serial order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from leaven.errors import ParameterError
from leaven.tasks import values
from leaven.tasks.calls import Call
from leaven.tasks.constants import SharedConstant, Sharing
from leaven.tasks.sources import RandomAccessSource, fetcher, source_of
from leaven.tasks.streams import WorkStream
from leaven.tasks.workers import workers_for


class AbstractWorkerPool:
    """What both kinds of pools can do. Made ones run until they are closed.

    Args:
        processes: how many workers.

    Raises:
        ParameterError: it is no number of workers.
        WorkerError: this system has not what processes need.
    """

    transport = "zeromq"
    """How the workers are reached."""

    def __init__(self, processes: int = 1) -> None:
        _at_least_one(processes=processes)
        self._workers = workers_for(processes, self.transport)
        self._workers.start()

    def parallel_data_source(self, source: Any, batch_buffer_size: int = 20) -> ParallelDataSource:
        """Return a source whose batches are prepared by the pool.

        Args:
            source: one with random access, or a list of arrays of equal length. Processes work with it as it is now.
            batch_buffer_size: how many batches are prepared, or ready, at a time.

        Raises:
            ParameterError: it has no random access, or the size is out of range.
            RecipeError: it cannot be handed to another process.
        """
        _at_least_one(batch_buffer_size=batch_buffer_size)
        found = source_of(source)
        return ParallelDataSource(self, found, self.shared_constant(fetcher(found)), batch_buffer_size)

    def work_stream(
        self, task_generator: Iterable[tuple[Callable[..., Any], Sequence[Any]]], task_buffer_size: int = 20
    ) -> WorkStream:
        """Return the results of tasks in their order.

        Args:
            task_generator: yields ``(function, arguments)``, in the threads that make the stream or retrieve from it.
            task_buffer_size: how many tasks are under way, or done and not retrieved.

        Raises:
            ParameterError: the size is out of range, or this is no generator.
            LeavenError: the pool was closed.
        """
        _at_least_one(task_buffer_size=task_buffer_size)
        if not isinstance(task_generator, Iterable):
            raise ParameterError(f"task_generator: a {type(task_generator).__name__} is no iterable of tasks")
        return WorkStream(self._workers, map(_call, task_generator), task_buffer_size)

    def shared_constant(self, value: Any) -> Any:
        """Return what stands for ``value`` among the arguments of tasks: it crosses once to each worker, not each time.

        Raises:
            RecipeError: it cannot be handed to another process.
            WorkerError: there is not enough shared memory.
        """
        raise NotImplementedError

    def close(self) -> None:
        """End the workers, whatever they are on, and give back everything. Idempotent."""
        self._workers.close()

    def __enter__(self) -> AbstractWorkerPool:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


class WorkerThreadPool(AbstractWorkerPool):
    """Threads: for functions that spend their time outside of Python's lock. Arguments and results are not copied."""

    transport = "threads"

    def shared_constant(self, value: Any) -> Any:
        """Return the value itself."""
        return value


class WorkerProcessPool(AbstractWorkerPool):
    """Processes: functions and arguments have to be such that another process can be handed them."""

    def shared_constant(self, value: Any) -> Any:
        """Return what stands for the value as it is now. Large arrays in it lie in memory that all workers share."""
        sharing = Sharing()
        return SharedConstant(values.pack({"constant": value}, sharing), sharing)


class ParallelDataSource:
    """A source whose batches a pool prepares; made by :meth:`AbstractWorkerPool.parallel_data_source`."""

    def __init__(self, pool: AbstractWorkerPool, source: RandomAccessSource, fetch: Any, buffer_size: int) -> None:
        self._pool = pool
        self._source = source
        self._fetch = fetch
        self._buffer_size = buffer_size

    def batch_iterator(self, batch_size: int, shuffle: Any = None) -> WorkStream:
        """Return an iterator over the source's batches, in exactly the order that it gives them itself.

        It begins to prepare them at once. The indices, and random numbers for them, are drawn in the thread that calls
        this and in those that ask for batches: ``batch_buffer_size`` batches ahead.

        Args:
            batch_size: samples in a batch.
            shuffle: passed to the source.
        """
        indices = self._source.batch_indices_iterator(batch_size, shuffle=shuffle)
        return self._pool.work_stream(_fetches(self._fetch, indices), self._buffer_size)


def _fetches(fetch: Any, indices: Iterable[Any]) -> Iterator[tuple[Any, tuple[Any]]]:
    return ((fetch, (batch,)) for batch in indices)


def _call(task: Any) -> Call:
    if not isinstance(task, (tuple, list)) or len(task) != 2 or not isinstance(task[1], (tuple, list)):
        raise ParameterError(f"task {task!r}: expected (function, arguments)")
    function, arguments = task
    if not (callable(function) or isinstance(function, SharedConstant)):
        raise ParameterError(f"task {task!r}: {function!r} is no function")
    return Call(function, tuple(arguments))


def _at_least_one(**numbers: Any) -> None:
    for name, value in numbers.items():
        if type(value) is not int or value < 1:
            raise ParameterError(f"{name}={value!r}: expected a whole number, at least 1")
