"""Local: the worker processes of this host, as the loader's own host has them."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterable, Mapping
from typing import Any

from leaven.registry.recipes import Recipe
from leaven.stream import wire
from leaven.stream.board import Board, Doing
from leaven.stream.processes import Child
from leaven_plugins.transports.zeromq.transport import Socket, ZeroMQ

_TARGET = "leaven_plugins.transports.zeromq.transport:ZeroMQ"


class Local:
    """Starts worker processes and carries messages to and from them.

    Args:
        workers: how many there may be.

    Raises:
        TransportError: the folder for sockets cannot be made.
    """

    def __init__(self, workers: int) -> None:
        self._workers = workers
        self._transport = ZeroMQ()
        self._transport.open(workers)
        self._board = Board(workers, "leaven worker")
        self._used: set[int] = set()

    def start(self, number: int, lanes: Mapping[int, Mapping[str, Any]]) -> Child:
        """Start worker ``number``, set up for ``lanes``: their specs by number."""
        if number in self._used:
            self._transport.renew(number)
        self._used.add(number)
        self._board.line(number).start(0)
        start = {
            "path": [folder or os.getcwd() for folder in sys.path],
            "number": number,
            "workers": self._workers,
            "transport": Recipe(_TARGET, {}).to_plain(),
            "address": dict(self._transport.address(number)),
            "board": self._board.fd,
            "lanes": {str(lane): dict(spec) for lane, spec in lanes.items()},
        }
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # Ctrl-C is for this process alone
        try:
            return Child(wire.pack(start), [self._board.fd])
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def doing(self, number: int) -> Doing:
        """Return what a worker is on, or was when it died."""
        return self._board.line(number).read()

    def send(self, number: int, message: bytes) -> bool:
        """Hand over a message without waiting; ``False`` where the worker takes none now."""
        return self._transport.send(number, message)

    def receive(self) -> list[tuple[int, bytes]]:
        """Return the answers that have arrived."""
        return self._transport.receive()

    def wait(self, sources: Iterable[int | Socket], timeout: float | None) -> list[int | Socket]:
        """Wait for answers and for ``sources``; return those that can be read."""
        return self._transport.poll(sources, timeout)

    def close(self) -> None:
        """Give back everything."""
        self._transport.close()
        self._board.close()
