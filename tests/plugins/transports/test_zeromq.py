from __future__ import annotations

import logging
import os
import random
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import zmq

from leaven.errors import ParameterError, TransportError
from leaven_plugins.transports.zeromq.transport import ZeroMQ


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    return tmp_path


def received(transport, count, seconds=10.0):
    found = []
    deadline = time.monotonic() + seconds
    while len(found) < count and time.monotonic() < deadline:
        transport.wait([], 0.1)
        found += transport.receive()
    return found


def test_messages_arrive_in_order_from_the_worker_that_sent_them(folder):
    transport = ZeroMQ()
    transport.open(2)
    channels = [ZeroMQ().connect(transport.address(number)) for number in range(2)]
    for number, channel in enumerate(channels):
        for part in range(50):
            channel.send(bytes([number, part]))
    found = received(transport, 100)
    for number in range(2):
        assert [message for worker, message in found if worker == number] == [bytes([number, n]) for n in range(50)]
    for channel in channels:
        channel.close()
    transport.close()


def test_the_sockets_folder_is_private_and_goes_once_every_worker_has_spoken(folder):
    transport = ZeroMQ()
    transport.open(2)
    (made,) = folder.iterdir()
    assert stat.S_IMODE(made.stat().st_mode) == 0o700
    channels = [ZeroMQ().connect(transport.address(number)) for number in range(2)]
    channels[0].send(b"here")
    assert received(transport, 1) == [(0, b"here")]
    assert made.exists()
    channels[1].send(b"too")
    assert received(transport, 1) == [(1, b"too")]
    assert not made.exists()
    while not transport.send(1, b"still there?"):
        time.sleep(0.01)
    assert channels[1].receive() == b"still there?"
    for channel in channels:
        channel.close()
    transport.close()


def test_sending_never_blocks(folder):
    transport = ZeroMQ(queue=3)
    transport.open(1)
    assert transport.send(0, b"nobody there") is False
    channel = ZeroMQ(queue=3).connect(transport.address(0))
    channel.send(b"here")
    received(transport, 1)
    deadline = time.monotonic() + 10  # its work socket may be connected a little later than the other one
    while not transport.send(0, b"first") and time.monotonic() < deadline:
        transport.wait([], 0.1)
    sent = 1
    while transport.send(0, b"x" * 100_000) and sent < 10_000:
        sent += 1
    assert 3 <= sent < 10_000  # kernel buffers take some beyond the queues
    channel.close()
    transport.close()


def test_wait_returns_the_descriptors_that_are_readable(folder):
    transport = ZeroMQ()
    transport.open(1)
    (r1, w1), (r2, w2) = os.pipe(), os.pipe()
    os.write(w2, b"!")
    assert transport.wait([r1, r2], 5) == [r2]
    os.write(w1, b"!")
    assert sorted(transport.wait([r1, r2], 5)) == sorted([r1, r2])
    assert transport.wait([r1], 5) == [r1]
    os.read(r1, 1)
    assert transport.wait([r1], 0.01) == []
    transport.close()
    for fd in (r1, w1, r2, w2):
        os.close(fd)


def test_closing_with_work_in_flight_is_immediate(folder):
    transport = ZeroMQ()
    transport.open(1)
    channel = ZeroMQ().connect(transport.address(0))
    channel.send(b"here")
    received(transport, 1)
    while not transport.send(0, b"x" * 10_000_000):
        time.sleep(0.01)
    closing = threading.Thread(target=transport.close)
    closing.start()
    closing.join(10)
    assert not closing.is_alive()
    channel.close()
    with pytest.raises(TransportError):
        transport.send(0, b"too late")
    assert list(folder.iterdir()) == []


def test_a_folder_that_cannot_be_used_is_named(tmp_path):
    with pytest.raises(TransportError, match="TMPDIR"):
        ZeroMQ(folder=str(tmp_path / "missing")).open(1)
    deep = tmp_path / ("x" * 60) / ("y" * 60)
    deep.mkdir(parents=True)
    with pytest.raises(TransportError, match="too long"):
        ZeroMQ(folder=str(deep)).open(1)
    assert list(deep.iterdir()) == []


def test_nothing_is_left_when_it_is_opened_again(folder):
    transport = ZeroMQ()
    for _ in range(3):
        transport.open(2)
        transport.close()
    assert list(Path(folder).iterdir()) == []


@pytest.fixture
def raw(folder, context):
    """A transport with two workers, and a function that connects any socket to one of its paths."""
    transport = ZeroMQ()
    transport.open(2)
    (made,) = folder.iterdir()

    def connected(kind, name):
        socket = context.socket(kind)
        socket.connect(f"ipc://{made}/{name}")
        return socket

    yield transport, connected
    transport.close()


def test_what_is_no_answer_is_dropped_and_told_once(raw, caplog):
    caplog.set_level(logging.WARNING, logger="leaven.transport")
    transport, connected = raw
    socket = connected(zmq.PUSH, "answers-1")
    chance = random.Random(1)
    found = []
    for n in range(10_000):
        socket.send_multipart([chance.randbytes(chance.choice((0, 1, 3, 40))) for _ in range(chance.choice((2, 3, 9)))])
        if n % 100 == 0:  # among them, what a worker says
            socket.send(b"%d" % n)
            found += transport.receive()
    found += received(transport, 100 - len(found))
    assert found == [(1, b"%d" % n) for n in range(0, 10_000, 100)]
    assert len(caplog.records) == 1
    assert "malformed" in caplog.text


def test_a_worker_drops_what_is_no_message(tmp_path, context):
    work, answers = context.socket(zmq.PUSH), context.socket(zmq.PULL)
    work.bind(f"ipc://{tmp_path}/worker-0")
    answers.bind(f"ipc://{tmp_path}/answers-0")
    channel = ZeroMQ().connect({"folder": str(tmp_path), "worker": 0})
    sending = threading.Thread(target=lambda: [work.send_multipart([b"x"] * (1 + n % 3)) for n in range(3000)])
    sending.start()
    assert [channel.receive() for _ in range(1000)] == [b"x"] * 1000
    sending.join()
    channel.close()


def test_an_answer_that_is_too_long_is_refused_where_it_is_made(raw, monkeypatch):
    monkeypatch.setattr("leaven_plugins.transports.zeromq.channel.LIMIT", 100)
    transport, _ = raw
    channel = ZeroMQ().connect(transport.address(0))
    with pytest.raises(TransportError, match=r"101 bytes is over the limit of 100.*batch_size"):
        channel.send(bytes(101))
    channel.close()


def test_with_no_workers_nothing_lies_around(folder):
    transport = ZeroMQ()
    transport.open(0)
    assert list(folder.iterdir()) == []
    assert transport.receive() == []
    transport.close()


def test_a_folder_that_cannot_be_written_is_named(folder):
    if os.getuid() == 0:
        pytest.skip("root may write anywhere")
    folder.chmod(0o500)
    with pytest.raises(TransportError, match="TMPDIR"):
        ZeroMQ().open(1)


@pytest.mark.parametrize("queue", [0, -1, "x", 1.5, True, None, 2**40])
def test_a_queue_that_is_no_number_of_messages(queue):
    with pytest.raises(ParameterError, match="queue="):
        ZeroMQ(queue)


WITHOUT_DESCRIPTORS = """
import contextlib, os, resource, sys, time
from leaven.errors import TransportError
from leaven_plugins.transports.zeromq.transport import ZeroMQ

transport = ZeroMQ(folder=sys.argv[1])
transport.open(2)
channels = [ZeroMQ().connect(transport.address(number)) for number in range(2)]
for channel in channels:
    channel.send(b"here")
while transport._silent:
    transport.wait([], 1)
    transport.receive()
resource.setrlimit(resource.RLIMIT_NOFILE, (100, 100))
held = []
with contextlib.suppress(OSError):
    while True:
        held.append(os.dup(0))
renewed = False
while not renewed:
    try:
        transport.renew(0)
        renewed = True
    except TransportError as error:
        assert "ulimit -n" in str(error) and "TMPDIR" not in str(error), error
        transport.receive()
        transport.send(0, b"nobody")
        time.sleep(0.02)  # ZeroMQ closes sockets in a thread of its own
        os.close(held.pop())
for fd in held:
    os.close(fd)
successor = ZeroMQ().connect(transport.address(0))
successor.send(b"here again")
while not (found := transport.receive()):
    transport.wait([], 1)
assert found == [(0, b"here again")], found
for channel in (*channels, successor):
    channel.close()
transport.close()
"""


def test_without_descriptors_it_says_so_and_goes_on_when_there_are_some(tmp_path):
    path = os.pathsep.join(filter(None, sys.path))
    arguments = [sys.executable, "-c", WITHOUT_DESCRIPTORS, str(tmp_path)]
    done = subprocess.run(
        arguments, capture_output=True, text=True, check=False, timeout=30, env={**os.environ, "PYTHONPATH": path}
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert list(tmp_path.iterdir()) == []
