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
        self._lane = Lane(slots, depth, spec_of, lambda: Calling(carrier), keeps=True)
        self._supervisor = pool.add(self._lane)
        self._under_way: dict[int, Call] = {}  # they keep alive what workers refer to
        self._taken: tuple[int, Answer] | None = None
        self._finalizer = weakref.finalize(self, self._supervisor.remove, self._lane, wait=False)

    def put(self, call: Call) -> int:
        """Have a call run; return its number, which counts from 0.

        Raises:
            RecipeError: it cannot be handed to another process.
        """
        number = self._lane.next_request  # not one of its own, which an interruption could put out of step
        data = self._carrier.send_call(number, call)
        self._under_way[number] = call
        return self._supervisor.put(self._lane, Stretch(number, 1, [0], [number], [data], []))

    def take(self, number: int, timeout: float | None = None) -> Answer:
        """Wait for what came of a call. It can be taken again, by who was interrupted, until :meth:`drop`.

        Raises:
            TimedOut: it is not there in time; it can be waited for again.
            WorkerError: no worker can run anything any more.
        """
        if self._taken is None or self._taken[0] != number:
            what = f"task {number} ({name_of(self._under_way[number].function)})"
            answer = wait_for(self._supervisor, self._lane, self._carrier, number, timeout, what)
            self._taken = number, answer
        self._free(number)
        return self._taken[1]

    def drop(self) -> None:
        """Keep what was taken last no longer."""
        self._taken = None

    def close(self) -> None:
        """Have nothing run any more."""
        self._finalizer()
        self._under_way.clear()
        self._taken = None

    def _free(self, last: int) -> None:
        """Be done with the calls up to number ``last`` that something came of: as many others may be run ahead.

        Interrupted, it is called again: a slot that is then given back twice lets one more call be run ahead.
        """
        for number in [number for number in tuple(self._lane.results) if number <= last]:
            slot = self._lane.results[number].slot
            if slot >= 0:
                self._supervisor.release(self._lane, slot)
            self._carrier.forget(number)
            self._under_way.pop(number, None)
            del self._lane.results[number]
