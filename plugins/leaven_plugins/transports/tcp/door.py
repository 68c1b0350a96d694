"""Door: listens for those who join, and for nobody while descriptors run out."""

from __future__ import annotations

import logging
import os
import resource
import time

import zmq

from leaven_plugins.transports.tcp.sockets import Socket

log = logging.getLogger("leaven.transport")

_SPARE = 64  # descriptors that a worker's start must find free; it takes some 10
_CLOSED = 10.0  # seconds: those who show no key are sent away within 2, and a worker has to start and connect


class Door:
    """The listening end of a bound socket.

    Whoever connects takes a descriptor before he has shown a key. That tcp itself gets none is harmless; but a worker
    of this machine that connects when there is none ends the program, within libzmq.

    Args:
        socket: a bound one.

    Attributes:
        endpoint: its address, with the port.
    """

    def __init__(self, socket: Socket) -> None:
        self.endpoint = bytes(socket.get(zmq.LAST_ENDPOINT)).rstrip(b"\0").decode()
        self._socket = socket
        self._opens: float | None = None

    def make_room(self) -> None:
        """Let nobody new in for a while if there are few descriptors; those who are in stay."""
        if _free_descriptors() >= _SPARE:
            return
        if self._opens is None:
            log.warning("tcp transport: few descriptors are left, so nobody can join for %.0f s", _CLOSED)
            self._socket.unbind(self.endpoint)
        self._opens = time.monotonic() + _CLOSED

    def look(self) -> None:
        """Listen again when it is time."""
        if self._opens is None or time.monotonic() < self._opens:
            return
        try:
            self._socket.bind(self.endpoint)
        except zmq.ZMQError as error:
            log.warning("tcp transport: cannot listen at %s again, so nobody can join: %s", self.endpoint, error)
            self._opens = time.monotonic() + _CLOSED
        else:
            self._opens = None

    def limited(self, timeout: float | None) -> float | None:
        """Return how long to wait, when that would be ``timeout`` with an open door."""
        if self._opens is None:
            return timeout
        left = max(0.001, self._opens - time.monotonic())
        return left if timeout is None else min(left, timeout)


def _free_descriptors() -> int:
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        return limit - len(os.listdir("/proc/self/fd"))
    except OSError:  # none is left to look with
        return 0
