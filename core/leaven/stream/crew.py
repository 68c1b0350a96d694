"""Crew: the worker processes of a pool: started, watched, replaced, ended."""

from __future__ import annotations

import logging
import signal
import time
from collections.abc import Callable, Iterable
from typing import NamedTuple

from leaven.errors import TransportError
from leaven.stream.board import Board, Doing
from leaven.stream.polling import readable
from leaven.stream.processes import Child
from leaven.stream.restarts import Restarts

log = logging.getLogger("leaven.loader")

_DUMP = 0.3  # seconds in which a hanging worker may write its stack


class Death(NamedTuple):
    """A worker that has ended: all in a line; how, what it was on, the end of what it wrote; if it was starting."""

    text: str
    status: str
    doing: Doing
    words: str
    starting: bool


class Crew:
    """The children of one pool.

    Args:
        start: starts the process of worker ``i``.
        renew: makes the transport ready for a successor of worker ``i``.
        workers: how many there are.
        board: what they are on.
        restarts: how often they may be replaced.
    """

    def __init__(
        self,
        start: Callable[[int], Child],
        renew: Callable[[int], None],
        workers: int,
        board: Board,
        restarts: Restarts,
    ) -> None:
        self._start = start
        self._renew = renew
        self._workers = workers
        self._board = board
        self.restarts = restarts
        self._children: dict[int, Child] = {}
        self._due: dict[int, float] = {}
        self._hung: dict[int, str] = {}
        self._ready: set[int] = set()

    def start(self) -> None:
        """Start all of them."""
        for number in range(self._workers):
            self._begin(number)

    def descriptors(self) -> dict[int, int]:
        """Return the descriptors that tell of a death, and which worker's."""
        return {child.fd: number for number, child in self._children.items()}

    def here(self, number: int) -> bool:
        """Return whether this worker's process is there."""
        return number in self._children

    def numbers(self) -> list[int]:
        """Return the workers whose process is there."""
        return list(self._children)

    def became_ready(self, number: int) -> None:
        """It has got through its start."""
        self._ready.add(number)

    def next_due(self) -> float | None:
        """Return in how many seconds the next one is to be started."""
        return max(0.0, min(self._due.values()) - time.monotonic()) if self._due else None

    def start_due(self) -> None:
        """Start those that are due. What the system has not now, such as a free descriptor, it may have later.

        Raises:
            OSError: it has not had it often enough.
            TransportError: the same, of the transport.
        """
        now = time.monotonic()
        for number in [number for number, due in self._due.items() if due <= now]:
            del self._due[number]
            try:
                self._renew(number)
                self._begin(number)
            except (OSError, TransportError) as error:
                if not self.replace(number, starting=False):
                    raise
                log.warning("worker %d cannot be started now: %s", number, error)

    def bury(self, number: int) -> Death:
        """Take note of a worker's end; whoever calls has its requests made by others."""
        child = self._children.pop(number)
        doing, status = self._board.line(number).read(), self._hung.pop(number, None) or child.status()
        text = f"worker {number} (pid {child.pid}) {status} {doing}"
        words = child.last_words()
        child.close()
        starting = number not in self._ready
        self._ready.discard(number)
        return Death(text, status, doing, words, starting)

    def replace(self, number: int, starting: bool) -> bool:
        """Start another worker in the place of one that has ended, in due time; return whether the budget allows it."""
        pause = self.restarts.died(starting)
        if pause is None:
            return False
        self._due[number] = time.monotonic() + pause
        return True

    def end_hanging(self, number: int, seconds: float) -> None:
        """Have a worker that does not come to an end write its stack, and kill it."""
        child = self._children[number]
        self._hung[number] = f"was ended after {seconds:.1f} s without progress"
        child.signal(signal.SIGUSR1)
        readable([child.fd], _DUMP)
        child.kill()

    def kill(self, numbers: Iterable[int]) -> None:
        """End these at once."""
        for number in numbers:
            self._children[number].kill()

    def wait(self, wake_fd: int, seconds: float, hurry: Callable[[], bool]) -> None:
        """Wait until all have ended, for ``seconds`` at most, or until ``hurry`` after ``wake_fd`` was written to."""
        deadline = time.monotonic() + seconds
        waiting = {child.fd for child in self._children.values() if not child.ended()}
        while waiting and not hurry() and (left := deadline - time.monotonic()) > 0:
            waiting.difference_update(readable([*waiting, wake_fd], left))

    def close(self) -> None:
        """Kill those that still run, and give back everything."""
        for child in self._children.values():
            child.close()
        self._children.clear()
        self._due.clear()

    def _begin(self, number: int) -> None:
        self._children[number] = self._start(number)
