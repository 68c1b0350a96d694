"""Outpost: the workers of this host, which work for a loader on another one."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

import zmq

from leaven.errors import TransportError, WorkerError, printable
from leaven_plugins.commands.worker.link import Link
from leaven_plugins.commands.worker.local import Local
from leaven_plugins.commands.worker.seat import Seat
from leaven_plugins.transports.addresses import Address
from leaven_plugins.transports.tcp.keys import WorkerKeys
from leaven_plugins.transports.tcp.sockets import LINGER, Socket

_ANSWER = 10.0  # seconds that a loader has to let somebody in at first
_GONE = "the loader has gone"
_LAST_MESSAGE = 0.05  # seconds in which what a worker said just before it ended may still arrive


class Outpost:
    """Runs workers until the loader has no more work.

    Args:
        address: of the loader.
        keys: of this host.
        workers: how many worker processes there may be.
        agree: returns what a worker's process sets up from for a spec of the loader, or raises.
        tell: told in a line what happens.
        stay: whether to wait for the loader, and for the next one once it has gone.
        patience: seconds without a sign of life after which the loader counts as gone.

    Raises:
        TransportError: the folder for sockets cannot be made.
    """

    def __init__(
        self,
        address: Address,
        keys: WorkerKeys,
        workers: int,
        agree: Callable[[Mapping[str, Any]], Mapping[str, Any]],
        tell: Callable[[str], None],
        stay: bool,
        patience: float,
    ) -> None:
        self._address = address
        self._tell = tell
        self._stay = stay
        self._told: str | None = None
        self._joined = False
        self._context: zmq.Context[Socket] = zmq.Context()
        self._local = Local(workers)
        dial = lambda: Link(self._context, address, keys, patience)  # noqa: E731
        self._seats = [Seat(number, self._local, dial, agree) for number in range(workers)]

    def run(self) -> None:
        """Work until the loader has gone; with ``stay`` until it is interrupted.

        Raises:
            TransportError: nobody lets this host in.
            WorkerError: this host cannot work for the loader; or, without ``stay``, its workers die.
        """
        deadline = time.monotonic() + _ANSWER
        try:
            while True:
                for seat in self._seats:
                    seat.step()
                self._report()
                if self._is_over():
                    return
                if not (self._joined or self._stay) and time.monotonic() > deadline:
                    raise TransportError(f"cannot join a loader at {self._address}: {self._trouble()}")
                self._wait()
        finally:
            for seat in self._seats:
                seat.leave()
            self._local.close()
            self._context.destroy(linger=LINGER)

    def _wait(self) -> None:
        waits = [wait for seat in self._seats if (wait := seat.patience()) is not None]
        self._local.wait([source for seat in self._seats for source in seat.sources()], min(waits, default=1.0))
        self._receive()
        if any(seat.ended() for seat in self._seats):
            self._local.wait([], _LAST_MESSAGE)
            self._receive()
        for seat in self._seats:
            if seat.ended():
                self._bury(seat)

    def _bury(self, seat: Seat) -> None:
        try:
            seat.bury()
        except WorkerError as error:
            if not self._stay:
                raise
            self._say(f"{error}; starting another one after a while")

    def _receive(self) -> None:
        for number, message in self._local.receive():
            self._seats[number].answered(message)

    def _is_over(self) -> bool:
        """Return whether there is nothing left to do; one who stays leaves a loader that has no more work."""
        stopped = [seat for seat in self._seats if seat.stopped]
        if stopped:
            self._say(_GONE)
        if self._stay:
            for seat in stopped:
                seat.stopped = False
                seat.leave()
            return False
        return bool(stopped) or (self._joined and not any(seat.up for seat in self._seats))

    def _report(self) -> None:
        """Tell when the loader has let this host in, has given it something to do, or has gone."""
        works = sorted({_work(spec) for seat in self._seats for spec in seat.lanes.values()})
        if any(seat.up for seat in self._seats):
            self._joined = True
            self._say(f"working for {', '.join(works)}" if works else "joined, no work so far")
        elif self._joined:
            self._say(_GONE)
        elif self._stay and self._trouble():
            self._say(f"waiting for a loader ({self._trouble()})")

    def _say(self, text: str) -> None:
        if text != self._told:
            self._told = text
            lines = [printable(line) for line in text.split("\n")]  # what they tell of is the loader's
            self._tell(f"{self._address}: " + "\n".join(lines))

    def _trouble(self) -> str:
        return next((seat.trouble for seat in self._seats if seat.trouble), "nobody answers")


def _work(spec: Mapping[str, Any]) -> str:
    worker = spec["worker"]
    return str(worker["component"] or worker["target"])
