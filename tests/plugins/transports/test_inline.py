from __future__ import annotations

import os

import pytest

from leaven.errors import TransportError
from leaven_plugins.transports.inline.transport import Inline


def doubled(message):
    yield message
    yield message


def test_a_message_is_answered_when_the_loader_waits():
    transport = Inline()
    transport.open(2, [doubled, lambda message: [message[::-1]]])
    assert transport.send(0, b"ab")
    assert transport.send(1, b"cd")
    assert transport.receive() == []
    transport.wait([], None)
    assert transport.receive() == [(0, b"ab"), (0, b"ab")]
    transport.wait([], None)
    assert transport.receive() == [(1, b"dc")]
    transport.close()


def test_without_work_it_waits_for_the_descriptors():
    transport = Inline()
    transport.open(1, [doubled])
    reading, writing = os.pipe()
    assert transport.wait([reading], 0.01) == []
    os.write(writing, b"!")
    assert transport.wait([reading], 10) == [reading]
    os.close(reading)
    os.close(writing)


def test_no_other_process_can_join():
    transport = Inline()
    with pytest.raises(TransportError, match="zeromq"):
        transport.address(0)
    with pytest.raises(TransportError, match="zeromq"):
        transport.connect({})


def test_misuse_is_an_error():
    transport = Inline()
    with pytest.raises(TransportError, match="handler"):
        transport.open(2, [doubled])
    transport.open(1, [doubled])
    transport.close()
    with pytest.raises(TransportError, match="closed"):
        transport.send(0, b"x")
