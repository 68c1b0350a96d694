"""CallLane: calls that a pool of workers runs, each with a number, and what came of them."""

from __future__ import annotations

import weakref

from leaven.stream.lane import Lane
from leaven.stream.pool import WorkerPool
from leaven.stream.sources import Stretch
from leaven.tasks.answers import Answer, wait_for
from leaven.tasks.calls import Call, carrier_for
from leaven.tasks.functions import name_of
from leaven.tasks.serving import Calling, spec_of


class CallLane:
    """What one queue or stream of calls has in a pool. To be used by one thread at a time.

    Args:
        pool: the workers.
        slots: how many calls may be run or have been run without having been taken; further ones wait.
        depth: how many of them one worker may have at a time.

    Raises:
        LeavenError: the workers cannot be started.
    """

    def __init__(self, pool: WorkerPool, slots: int, depth: int) -> None:
        self._pool = pool  # which ends when nothing refers to it any more
        self._carrier = carrier = carrier_for(pool.in_process)
        self._lane = Lane(slots, depth, spec_of, lambda: Calling(carrier))
        self._supervisor = pool.add(self._lane)
        self._under_way: dict[int, Call] = {}  # they keep alive what workers refer to
        self._next = 0
        self._finalizer = weakref.finalize(self, self._supervisor.remove, self._lane, wait=False)

    def put(self, call: Call) -> int:
        """Have a call run; return its number, which counts from 0.

        Raises:
            RecipeError: it cannot be handed to another process.
        """
        number = self._next
        data = self._carrier.send_call(number, call)
        self._under_way[number] = call
        self._next += 1
        self._supervisor.put(self._lane, Stretch(number, 1, [0], [number], [data], []))
        return number

    def take(self, number: int, timeout: float | None = None) -> Answer:
        """Wait for what came of a call, once.

        Raises:
            TimedOut: it is not there in time; it can be waited for again.
            WorkerError: no worker can run anything any more.
        """
        what = f"task {number} ({name_of(self._under_way[number].function)})"
        answer = wait_for(self._supervisor, self._lane, self._carrier, number, timeout, what)
        del self._under_way[number]
        if answer.slot >= 0:
            self._supervisor.release(self._lane, answer.slot)
        return answer

    def close(self) -> None:
        """Have nothing run any more."""
        self._finalizer()
        self._under_way.clear()
