"""Peers: the workers of other hosts, each known by its connection."""

from __future__ import annotations

import logging
import time
from itertools import count

import zmq

from leaven.errors import TransportError
from leaven_plugins.transports.rejects import Rejects
from leaven_plugins.transports.tcp.sockets import LIMIT, PING, Socket

log = logging.getLogger("leaven.transport")

_FAULTS = 3  # malformed messages after which a peer is heard no more
_PAUSE = 0.5  # seconds between two looks at who is still there
_AT_ONCE = 1_000  # messages that one call takes in, however many there are


class Peers:
    """Sends to and receives from the workers of other hosts over a ROUTER socket.

    A peer gets a number with its first message. It is that of its connection: nobody else can speak as this peer, and
    the number is never another's.

    Args:
        socket: a bound ROUTER socket with ROUTER_MANDATORY.
        first: the first peer's number.
    """

    def __init__(self, socket: Socket, first: int) -> None:
        self._socket = socket
        self._numbers = count(first)
        self._number_of: dict[bytes, int] = {}
        self._identity_of: dict[int, bytes] = {}
        self._faults: dict[bytes, int] = {}
        self._refused: set[bytes] = set()
        self._gone: list[int] = []
        self._rejects = Rejects("tcp transport")
        self._next_look = time.monotonic()

    def send(self, number: int, message: bytes) -> bool:
        """Hand over a message without waiting; ``False`` where the peer takes none now, or has gone.

        Raises:
            TransportError: the message is too long.
        """
        if len(message) > LIMIT:
            raise TransportError(
                f"tcp transport: a message of {len(message)} bytes for worker {number} is over the limit of {LIMIT}; "
                "take a smaller batch_size, or more num_mini_batches"
            )
        identity = self._identity_of.get(number)
        return identity is not None and self._sent(identity, message)

    def receive(self) -> list[tuple[int, bytes]]:
        """Return what has arrived, with the numbers of the peers; what is malformed is counted and dropped."""
        found = []
        for _ in range(_AT_ONCE):
            try:
                frames = self._socket.recv_multipart(zmq.NOBLOCK, copy=False)
            except zmq.Again:
                break
            identity = frames[0].bytes
            if identity in self._refused:
                continue
            if len(frames) != 2:
                self._fault(identity, f"{len(frames) - 1} frames instead of 1")
            elif not _is_given(identity):
                self._fault(identity, "a peer that gives itself an identity")
            else:
                found.append((self._number(identity, frames[1]), frames[1].bytes))
        return found

    def blame(self, number: int) -> None:
        """Count a message of this peer that was none; after the third it is heard no more, and counts as gone."""
        if number in self._identity_of:
            self._fault(self._identity_of[number], "not a message between loader and worker")

    def gone(self) -> list[int]:
        """Return the numbers of the peers that have gone since the last call."""
        gone, self._gone = self._gone, []
        return gone

    def limited(self, timeout: float | None) -> float | None:
        """Return how long to wait, when that would be ``timeout`` without any peers."""
        if self._gone:
            return 0.0
        if not self._known():
            return timeout
        left = max(0.001, self._next_look - time.monotonic())
        return left if timeout is None else min(left, timeout)

    def look(self) -> None:
        """See who is still there, now and then. A connection that has ended, or was silent for too long, is closed."""
        now = time.monotonic()
        if now < self._next_look:
            return
        self._next_look = now + _PAUSE
        for identity in self._known():
            self._sent(identity, PING)

    def _known(self) -> set[bytes]:
        return self._number_of.keys() | self._faults.keys() | self._refused

    def _sent(self, identity: bytes, message: bytes) -> bool:
        try:
            self._socket.send_multipart([identity, message], zmq.NOBLOCK)
        except zmq.Again:
            return False
        except zmq.ZMQError as error:
            if error.errno != zmq.EHOSTUNREACH:
                raise TransportError(f"tcp transport: cannot send to a worker: {error}") from error
            self._lose(identity)
            return False
        return True

    def _number(self, identity: bytes, frame: zmq.Frame) -> int:
        if identity not in self._number_of:
            number = next(self._numbers)
            self._number_of[identity], self._identity_of[number] = number, identity
            log.info("worker %d of %s has joined, at %s", number, *_who(frame))
        return self._number_of[identity]

    def _fault(self, identity: bytes, reason: str) -> None:
        self._rejects.add(reason)
        self._faults[identity] = self._faults.get(identity, 0) + 1
        if self._faults[identity] >= _FAULTS:
            self._lose(identity)
            self._sent(identity, b"")
            self._refused.add(identity)

    def _lose(self, identity: bytes) -> None:
        self._faults.pop(identity, None)
        self._refused.discard(identity)
        number = self._number_of.pop(identity, None)
        if number is not None:
            del self._identity_of[number]
            self._gone.append(number)


def _is_given(identity: bytes) -> bool:
    """Whether it is one that ZeroMQ gave to the connection; those are never given twice, and nobody can ask for one."""
    return len(identity) == 5 and identity[0] == 0


def _who(frame: zmq.Frame) -> tuple[str, str]:
    return str(frame.get("User-Id")), str(frame.get("Peer-Address"))
