"""Seat: one worker process of this host together with its connection to the loader."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import msgpack

from leaven.errors import LeavenError, ProtocolError, TransportError, WorkerError
from leaven.stream.failures import described, rebuilt_all
from leaven.stream.messages import STOP, Died, Failed, Hello, Open, decode, encode
from leaven.stream.processes import Child
from leaven.stream.versions import versions
from leaven_plugins.commands.worker.link import Link
from leaven_plugins.commands.worker.local import Local
from leaven_plugins.transports.rejects import Rejects
from leaven_plugins.transports.tcp.sockets import LIMIT, Socket

_DEATHS = 3  # in a row on no sample; of those on one the loader keeps count, and gives up the sample
_FIRST_PAUSE, _LONGEST_PAUSE = 0.2, 5.0  # seconds between a death and the next start
_REDIAL = 0.5  # seconds between two attempts to connect
_HEAD = 64  # bytes that hold kind and numbers of a message
_NUMBERS = {"open": 1, "shut": 1, "work": 4, "ready": 1, "done": 4, "failed": 4}  # that a message begins with


class Head(NamedTuple):
    """How a message begins: its kind and its first numbers."""

    kind: str
    lane: int
    number: int = -1
    attempt: int = 0
    slot: int = -1


class Seat:
    """Passes on what the loader and the worker say, and looks after the worker.

    Args:
        number: of the worker on this host.
        local: starts and reaches its process.
        dial: makes a connection to the loader.
        agree: returns what the process sets up from for a spec of the loader, or raises.

    Attributes:
        link: the connection, or ``None``.
        stopped: whether the loader said that there is no more work.
        trouble: why there is no connection, as far as is known.
        lanes: the specs of what the worker works for.
    """

    def __init__(
        self,
        number: int,
        local: Local,
        dial: Callable[[], Link],
        agree: Callable[[Mapping[str, Any]], Mapping[str, Any]],
    ) -> None:
        self._number = number
        self._local = local
        self._dial = dial
        self._agree = agree
        self._rejects = Rejects(f"worker {number}")
        self.link: Link | None = None
        self.stopped = False
        self.trouble = ""
        self.lanes: dict[int, Mapping[str, Any]] = {}
        self._said_hello = False
        self._child: Child | None = None
        self._to_child: deque[bytes] = deque()
        self._deaths = 0  # in a row, on no sample
        self._pause = _FIRST_PAUSE
        self._due = time.monotonic()

    @property
    def up(self) -> bool:
        """Whether the loader has let this worker in."""
        return self.link is not None and self.link.up

    def sources(self) -> list[int | Socket]:
        """Return what to wait for."""
        found: list[int | Socket] = [] if self._child is None else [self._child.fd]
        return found + (self.link.sources if self.link is not None else [])

    def patience(self) -> float | None:
        """Return in how many seconds there will be something to do."""
        waits = self.link is None or (self.link.up and not self._said_hello)
        return max(0.0, self._due - time.monotonic()) if waits else None

    def step(self) -> None:
        """Do what is to be done: connect, hear the loader, pass on.

        Raises:
            LeavenError: this host cannot work for the loader.
        """
        due = time.monotonic() >= self._due
        if self.link is None:
            if not due:
                return
            self.link = self._dial()
        self.link.look()
        for message in self.link.receive():
            self._from_loader(message)
        if self.link.down:
            self.trouble = self.link.down
            self.leave()
        elif self.link.up and not self._said_hello and due:
            self._said_hello = True
            self.link.send(encode(Hello(versions())))
        while self._to_child and self._local.send(self._number, self._to_child[0]):
            self._to_child.popleft()

    def answered(self, message: bytes) -> None:
        """Pass on what the worker says.

        Raises:
            WorkerError: the worker cannot be set up.
        """
        if self.link is None:
            return
        try:
            head = _head(message)
        except ProtocolError as error:
            self._rejects.add(str(error))
            return
        if len(message) > LIMIT:
            message = encode(Failed(head.lane, head.number, head.attempt, head.slot, [described(_too_long(message))]))
        self.link.send(message)
        if head.kind == "failed" and head.number < 0:
            failed = decode(message)
            assert isinstance(failed, Failed)
            raise rebuilt_all(self._number, failed.errors, " could not start")
        if head.kind in ("done", "failed"):
            self._deaths, self._pause = 0, _FIRST_PAUSE

    def ended(self) -> bool:
        """Return whether the worker's process has ended."""
        return self._child is not None and self._child.ended()

    def bury(self) -> None:
        """Tell the loader that the worker has died; the next step starts another one, after a while.

        Raises:
            WorkerError: several in a row have died that were on no sample, so that it is this host's fault.
        """
        assert self._child is not None
        doing, status, words = self._local.doing(self._number), self._child.status(), self._child.last_words()
        request = -1 if doing.request is None else doing.request
        index = -1 if doing.index is None else doing.index
        self._end_child()
        if self.link is not None:
            self.link.send(encode(Died(doing.lane, request, index, status, words)))
        self._said_hello = False
        self._due = time.monotonic() + self._pause
        self._pause = min(_LONGEST_PAUSE, 2 * self._pause)
        if doing.index is None:
            self._deaths += 1
            if self._deaths >= _DEATHS:
                said = f"; it last said:\n{words}" if words else ""
                raise WorkerError(f"{self._deaths} workers in a row died, the last one {status} {doing}{said}")

    def leave(self) -> None:
        """Give up connection and worker; the next step makes a new connection."""
        self._end_child()
        if self.link is not None:
            self.link.close()
        self.link, self._said_hello = None, False
        self._due = time.monotonic() + _REDIAL

    def _from_loader(self, message: bytes) -> None:
        if message == STOP:
            self.stopped = True
            return
        try:
            head = _head(message)
            if head.kind == "open":
                self._open(message)
            elif head.kind not in ("work", "shut"):
                raise ProtocolError(f"a worker is not told {head.kind!r}")
            elif self._child is not None:  # otherwise it is for the one that died, and is done by others
                self._to_child.append(message)
            if head.kind == "shut":
                self.lanes.pop(head.lane, None)
        except ProtocolError as error:
            self._rejects.add(str(error))

    def _open(self, message: bytes) -> None:
        order = decode(message, LIMIT)
        assert isinstance(order, Open)
        try:
            spec = self._agree(order.spec)
        except LeavenError as error:
            assert self.link is not None
            self.link.send(encode(Failed(order.lane, -1, 0, -1, [described(error)])))
            raise WorkerError(f"this host cannot work for the loader: {error}") from error
        self.lanes[order.lane] = spec
        if self._child is None:
            self._child = self._local.start(self._number, {order.lane: spec})
        else:
            self._to_child.append(encode(Open(order.lane, spec)))

    def _end_child(self) -> None:
        if self._child is not None:
            self._child.close()
        self._child = None
        self._to_child.clear()
        self.lanes.clear()


def _too_long(message: bytes) -> TransportError:
    return TransportError(
        f"an answer of {len(message)} bytes is over the limit of {LIMIT} for other hosts; take a smaller batch_size, "
        "or more num_mini_batches"
    )


def _head(message: bytes) -> Head:
    """Return how a message begins, without unpacking the samples or arrays in it.

    Raises:
        ProtocolError: it is none that begins so.
    """
    reader = msgpack.Unpacker(max_buffer_size=_HEAD)
    reader.feed(message[:_HEAD])
    try:
        reader.read_array_header()
        kind = reader.unpack()
        numbers = [reader.unpack() for _ in range(_NUMBERS[kind])]
    except Exception as error:  # of several types, and none of them says more
        raise ProtocolError("not a message between loader and worker") from error
    if not all(type(number) is int for number in numbers):
        raise ProtocolError(f"message {kind!r} does not begin with {len(numbers)} numbers")
    return Head(kind, *numbers)
