"""WorkStream: the results of a stream of calls, in its order, with so many of them under way."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Any

from leaven.errors import NoMoreTasks, TaskError
from leaven.stream.pool import WorkerPool
from leaven.tasks.call_lane import CallLane
from leaven.tasks.calls import Call

_AHEAD = 2  # the one that a worker is on, and the one that it goes on with at once


class WorkStream:
    """An iterator over results; made by a pool. To be used by one thread at a time.

    It is filled when it is made, and calls are taken from their generator in the thread that makes it and in those that
    ask for results: one more for each.

    Args:
        pool: the workers.
        calls: what to run.
        buffer_size: how many calls are under way, or done and not retrieved.
    """

    def __init__(self, pool: WorkerPool, calls: Iterator[Call], buffer_size: int) -> None:
        self._calls: Iterator[Call] | None = calls
        self._numbers: deque[int] = deque()
        self._failed: Exception | None = None
        self._buffer_size = buffer_size
        self._lane: CallLane | None = CallLane(pool, buffer_size, _AHEAD)
        self._fill(buffer_size)

    def retrieve(self) -> Any:
        """Return the next result, which may be ``None``.

        Raises:
            NoMoreTasks: there is none, or one before it failed.
            Exception: what the function raised, or the generator of the calls; the stream has ended then.
            WorkerError: the workers cannot be kept alive.
        """
        if self._lane is None:
            raise NoMoreTasks("the stream of tasks has ended")
        if not self._numbers:
            failed = self._failed
            self.close()
            raise failed or NoMoreTasks("the stream of tasks has ended")
        answer = self._lane.take(self._numbers[0])
        if answer.outcome.error is not None:
            self.close()
        else:
            self._fill(self._buffer_size + 1)
            self._numbers.popleft()  # until here a Ctrl-C leaves it where it is
            self._lane.drop()
        return answer.outcome.get()

    def retrieve_iter(self) -> Iterator[Any]:
        """Return an iterator over the results that are left: this object."""
        return self

    def close(self) -> None:
        """Have nothing run any more; idempotent."""
        lane, self._lane, self._calls, self._failed = self._lane, None, None, None
        self._numbers.clear()
        if lane is not None:
            lane.close()

    def __iter__(self) -> WorkStream:
        return self

    def __next__(self) -> Any:
        try:
            return self.retrieve()
        except NoMoreTasks:
            raise StopIteration from None

    def __enter__(self) -> WorkStream:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _fill(self, count: int) -> None:
        """Take calls until so many are under way; what goes wrong there is raised after the results of those before."""
        while self._calls is not None and self._lane is not None and len(self._numbers) < count:
            try:
                call = next(self._calls, None)
                if call is None:
                    self._calls = None
                else:
                    self._numbers.append(self._lane.put(call))
            except Exception as error:  # the generator is foreign code
                self._failed, self._calls = error, None
            except BaseException as error:  # a generator ends by it, as if it had no more
                told = TaskError(f"the generator of tasks was interrupted by {type(error).__name__}")
                self._failed, self._calls = told, None
                raise
