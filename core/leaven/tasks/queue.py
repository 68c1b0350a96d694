"""TaskQueue: functions that processes run one after the other, with the results in the order of the queue."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from leaven.errors import LeavenError, NoMoreTasks, ParameterError
from leaven.protocols import Transport
from leaven.tasks.call_lane import CallLane
from leaven.tasks.calls import Call
from leaven.tasks.functions import name_of
from leaven.tasks.outputs import outputs
from leaven.tasks.workers import workers_for

log = logging.getLogger("leaven.tasks")


class TaskQueue:
    """A first-in, first-out queue of functions to run; to be used by one thread at a time.

    ::

        with TaskQueue(2) as queue:
            for path in paths[:4]:
                queue.put(read, path)
            ...
            image = queue.get()

    Args:
        nworkers: how many processes; 0 runs a function within :meth:`get`.
        depth: how many tasks may be run ahead, those included that are done and not fetched; further ones wait. By
            default 4 for each worker.
        transport: ``"zeromq"`` (processes), ``"threads"`` or ``"inline"``; the latter take any callable.
        profile: whether each ``get`` logs how long it waited and how long the function ran, in milliseconds.
        worker_timeout: seconds after which a function counts as hanging, and its process is replaced; 0 for no limit.

    Raises:
        ParameterError: a value is out of range.
        WorkerError: this system has not what processes need.
    """

    def __init__(
        self,
        nworkers: int = 1,
        depth: int | None = None,
        transport: Transport | str | Mapping[str, Any] = "zeromq",
        profile: bool = False,
        worker_timeout: float = 0.0,
    ) -> None:
        if depth is not None and (type(depth) is not int or depth < 1):
            raise ParameterError(f"depth={depth!r}: expected a whole number, at least 1, or None")
        self._pool = workers_for(nworkers, transport, worker_timeout)
        self._few = nworkers
        self._told = False
        self._profile = profile
        self._lane: CallLane | None = CallLane(self._pool, depth or 4 * self._pool.nworkers, depth=1)
        self._tasks: deque[tuple[int, Call]] = deque()

    def put(self, function: Callable[..., Any], *args: Any, out: Sequence[Any] | None = None, **kwargs: Any) -> None:
        """Have a function run; never waits. A worker that dies has it run again, by another one.

        Args:
            function: a function, method, or ``functools.partial``.
            args: its arguments: plain data, arrays, and what else can be handed to another process.
            out: shared arrays that it gets as its first argument, a list, and that :meth:`get` returns in the place of
                what it returns: each as ``(shape, dtype)``, or as an array to start as a copy of.
            kwargs: its keyword arguments.

        Raises:
            RecipeError: something cannot be handed to another process.
            ParameterError: ``function`` is not one, or ``out`` is malformed.
            WorkerError: there is not enough shared memory.
            LeavenError: the queue was closed.
        """
        if not callable(function):
            raise ParameterError(f"{function!r}: expected a function, got a {type(function).__name__}")
        lane = self._opened()
        call = Call(function, args, kwargs, outputs(() if out is None else out))
        self._tasks.append((lane.put(call), call))
        self._told = self._told and len(self) < self._few

    def get(self, timeout: float | None = None) -> Any:
        """Return what the oldest task returned, or its arrays, and take it out of the queue.

        Args:
            timeout: seconds to wait at most; ``None``: as long as it takes.

        Raises:
            Exception: what the function raised; the next call is for the next task.
            TaskError: the function killed its process again and again.
            NoMoreTasks: the queue is empty.
            TimedOut: it is not done in time; it stays where it is.
            WorkerError: the processes cannot be kept alive.
            LeavenError: the queue was closed.
        """
        lane = self._opened()
        if not self._tasks:
            raise NoMoreTasks("the queue is empty: put a task into it first")
        began = time.perf_counter()
        number, call = self._tasks[0]
        answer = lane.take(number, timeout)
        if self._profile:
            waited = time.perf_counter() - began
            log.info("%s: waited %.1f ms, ran %.1f ms", name_of(call.function), waited * 1e3, answer.seconds * 1e3)
        left = len(self) - 1
        if left < self._few and not self._told:
            self._told = True
            log.warning("the queue has %d left for %d workers: put more before each get", left, self._few)
        self._tasks.popleft()  # until here a Ctrl-C leaves it where it is
        lane.drop()
        value = answer.outcome.get()
        return [output.array for output in call.outputs] if call.outputs else value

    def __len__(self) -> int:
        return len(self._tasks)

    def close(self) -> None:
        """End the processes and give back everything, whatever is still in the queue. Idempotent."""
        self._lane = None
        self._tasks.clear()
        self._pool.close()

    def __enter__(self) -> TaskQueue:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _opened(self) -> CallLane:
        if self._lane is None:
            raise LeavenError("the task queue has been closed")
        return self._lane
