"""TransportContract: what a loader relies on in a transport."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import pytest

from leaven.errors import TransportError
from leaven.protocols import Transport
from leaven.registry.recipes import recipe_of
from leaven.registry.registry import Registry
from leaven.stream import wire
from leaven.testing.component import ComponentContract

_WORKERS = 2
_PATIENCE = 20.0  # seconds that a test waits for what should take a few ms
_PEER = """
import sys
from leaven.registry.recipes import Recipe
from leaven.stream import wire
recipe, address = wire.unpack(sys.stdin.buffer.read())
channel = Recipe.from_plain(recipe).build().connect(address)
channel.send(b"ready")
while (message := channel.receive()) is not None:
    channel.send(message)
"""


class TransportContract(ComponentContract):
    """The contract of transports. Workers that are not in-process are processes that answer with what they get."""

    @pytest.fixture
    def transport(self, component: Transport) -> Iterator[Transport]:
        """An open transport with two workers that answer each message with the same one."""
        with _running(component):
            yield component

    def test_messages_keep_their_order(self, transport: Transport) -> None:
        """Each worker gets and answers them in the order in which they were sent; none is lost or doubled."""
        sent = [(n % _WORKERS, f"message {n}".encode()) for n in range(200)]
        answers = _exchange(transport, sent)
        for worker in range(_WORKERS):
            assert [m for w, m in answers if w == worker] == [m for w, m in sent if w == worker]

    @pytest.mark.parametrize("size", [0, 1, 100_000, 3_000_000])
    def test_messages_of_any_size_arrive(self, transport: Transport, size: int) -> None:
        """From nothing to a batch that travels with its message."""
        message = bytes(range(256)) * (size // 256) + bytes(size % 256)
        assert _exchange(transport, [(1, message)]) == [(1, message)]

    def test_to_send_does_not_block(self, registry: Registry, arguments: Mapping[str, Any]) -> None:
        """Nobody reads: it takes what fits and then says no, at once."""
        transport: Transport = registry.create(self.spec, **arguments)
        handlers = [lambda message: [message]] * _WORKERS if transport.in_process else None
        transport.open(_WORKERS, handlers)
        try:
            started = time.monotonic()
            for _ in range(2000):
                if not transport.send(0, bytes(1000)):
                    break
            assert time.monotonic() - started < _PATIENCE
            assert transport.receive() == []
        finally:
            transport.close()

    def test_it_waits_for_others_too(self, transport: Transport) -> None:
        """A descriptor that becomes readable ends the wait and is returned; so does the time."""
        out, into = os.pipe()
        try:
            assert transport.wait([out], 0) == []
            os.write(into, b"x")
            assert transport.wait([out], _PATIENCE) == [out]
            os.read(out, 1)
            assert transport.wait([out], 0.01) == []
            assert transport.wait([], 0.01) == []
        finally:
            os.close(out)
            os.close(into)

    def test_nothing_comes_unasked(self, transport: Transport) -> None:
        """To receive does not wait."""
        assert transport.receive() == []

    def test_it_closes_with_work_in_flight(self, transport: Transport) -> None:
        """At once, twice if need be, and nothing can be sent any more."""
        for number in range(6):
            transport.send(number % _WORKERS, b"work")
        transport.close()
        transport.close()
        with pytest.raises(TransportError, match="closed"):
            transport.send(0, b"too late")

    def test_it_opens_again(self, transport: Transport) -> None:
        """After it was closed."""
        transport.close()
        with _running(transport):
            assert _exchange(transport, [(0, b"again")]) == [(0, b"again")]

    def test_a_peer_may_die(self, component: Transport) -> None:
        """To send more, to wait and to close neither block nor fail; the other peer is still heard."""
        if component.in_process:
            pytest.skip("its workers live and die with the loader")
        with _running(component) as peers:
            peers[0].kill()
            peers[0].wait()
            for _ in range(100):
                component.send(0, b"anybody there?")
            assert _exchange(component, [(1, b"and you?")]) == [(1, b"and you?")]


@contextlib.contextmanager
def _running(transport: Transport) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Open the transport and start its workers; kill them and close it at the end."""
    peers: list[subprocess.Popen[bytes]] = []
    handlers: list[Callable[[bytes], Iterable[bytes]]] = [lambda message: [message]] * _WORKERS
    transport.open(_WORKERS, handlers if transport.in_process else None)
    try:
        if not transport.in_process:
            peers.extend(_peer(transport, number) for number in range(_WORKERS))
            assert sorted(_received(transport, _WORKERS)) == [(number, b"ready") for number in range(_WORKERS)]
        yield peers
    finally:
        transport.close()
        for peer in peers:
            peer.kill()
            peer.wait()


def _peer(transport: Transport, number: int) -> subprocess.Popen[bytes]:
    path = os.pathsep.join(entry for entry in sys.path if entry)
    peer = subprocess.Popen(
        [sys.executable, "-c", _PEER], stdin=subprocess.PIPE, env={**os.environ, "PYTHONPATH": path}
    )
    assert peer.stdin is not None
    with peer.stdin as pipe:
        pipe.write(wire.pack([recipe_of(transport).to_plain(), dict(transport.address(number))]))
    return peer


def _exchange(transport: Transport, messages: Sequence[tuple[int, bytes]]) -> list[tuple[int, bytes]]:
    """Send all messages, waiting where there is no room, and return the answers."""
    answers: list[tuple[int, bytes]] = []
    deadline = time.monotonic() + _PATIENCE
    for worker, message in messages:
        while not transport.send(worker, message):
            assert time.monotonic() < deadline, f"worker {worker} takes no more messages"
            transport.wait([], 0.01)
            answers.extend(transport.receive())
    return answers + _received(transport, len(messages) - len(answers))


def _received(transport: Transport, count: int) -> list[tuple[int, bytes]]:
    messages: list[tuple[int, bytes]] = []
    deadline = time.monotonic() + _PATIENCE
    while len(messages) < count:
        assert time.monotonic() < deadline, f"{len(messages)} of {count} messages arrived"
        transport.wait([], 0.1)
        messages.extend(transport.receive())
    return messages
