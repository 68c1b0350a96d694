"""Roster: which workers there are, of this host and of others, and what each still has to be told."""

from __future__ import annotations

import contextlib
import logging
from collections import deque
from collections.abc import Callable, Iterable

from leaven.errors import LeavenError, printable
from leaven.protocols import Transport
from leaven.stream.crew import Crew
from leaven.stream.lane import Lane
from leaven.stream.messages import STOP, Message, Open, Shut, encode

log = logging.getLogger("leaven.loader")

_TOLD = 10  # dropped messages that are logged one by one
_GRACE = 1.0  # seconds that a worker has to finish what it is on when the pool closes


class Roster:
    """The workers of one pool.

    Args:
        transport: an open transport.
        crew: the worker processes of this host; ``None`` where workers run in this process.
        workers: how many workers this host has. Numbers from there on are those of other hosts' workers, the guests.
    """

    def __init__(self, transport: Transport, crew: Crew | None, workers: int) -> None:
        self._transport = transport
        self.crew = crew
        self.workers = workers
        self.guests: set[int] = set()
        self._rejects = 0
        self._untold: dict[int, deque[bytes]] = {}

    @property
    def busy_listening(self) -> set[int]:
        """Those who have to be told something before they can be given work."""
        return set(self._untold)

    def open(self, lane: Lane) -> None:
        """Tell everybody of a lane. Processes that are started later are told at their start."""
        for worker in self.crew.numbers() if self.crew is not None else ():
            self._tell(worker, Open(lane.number, lane.spec(False)))
        for worker in self.guests:
            self._tell(worker, Open(lane.number, lane.spec(True)))

    def shut(self, lane: Lane) -> None:
        """Tell everybody that nothing more comes for a lane."""
        own = range(self.workers) if self.crew is None else self.crew.numbers()
        for worker in [*own, *self.guests]:
            self._tell(worker, Shut(lane.number))

    def welcome(self, worker: int, lanes: Iterable[Lane]) -> None:
        """A worker of another host is willing to work: tell it of all lanes."""
        self.guests.add(worker)
        for lane in lanes:
            self._tell(worker, Open(lane.number, lane.spec(True)))

    def forget(self, worker: int) -> None:
        """Nothing more can be told to a worker."""
        self._untold.pop(worker, None)

    def reject(self, worker: int, why: str) -> None:
        """A message is dropped. The transport drops a guest who sends what makes no sense again and again."""
        self._rejects += 1
        if self._rejects <= _TOLD or self._rejects % 1000 == 0:
            told = (worker, self._rejects, printable(why))
            log.warning("a message of worker %d was dropped, the %d. in all: %s", *told)
        if worker >= self.workers and hasattr(self._transport, "blame"):
            self._transport.blame(worker)

    def flush(self) -> None:
        """Tell what could not be told before."""
        for worker in list(self._untold):
            self._flush(worker)

    def stop(self, wake_fd: int, at_once: bool, hurry: Callable[[], bool]) -> None:
        """End all workers.

        Args:
            wake_fd: is written to when it becomes urgent.
            at_once: give them no time to finish what they are on.
            hurry: whether it has become urgent.
        """
        for worker in self.guests:
            self._told_to_stop(worker)
        if self.crew is None:
            return
        deaf = [worker for worker in self.crew.numbers() if not self._told_to_stop(worker)]
        self.crew.kill(self.crew.numbers() if at_once or hurry() else deaf)
        self.crew.wait(wake_fd, _GRACE, hurry)
        self.crew.close()

    def _told_to_stop(self, worker: int) -> bool:
        with contextlib.suppress(LeavenError):
            return self._transport.send(worker, STOP)
        return False

    def _tell(self, worker: int, message: Message) -> None:
        """Send what must not be lost, as soon as the worker takes it and before anything else."""
        self._untold.setdefault(worker, deque()).append(encode(message))
        self._flush(worker)

    def _flush(self, worker: int) -> None:
        waiting = self._untold[worker]
        while waiting and self._transport.send(worker, waiting[0]):
            waiting.popleft()
        if not waiting:
            del self._untold[worker]
