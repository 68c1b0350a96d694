from __future__ import annotations

import contextlib
import random
import socket
import subprocess
import sys
import time

import pytest
import zmq

from leaven.errors import ParameterError, TransportError
from leaven.stream.messages import Done, encode
from leaven_plugins.transports.addresses import tcp_address
from leaven_plugins.transports.tcp.keys import OwnKeys, WorkerKeys, make_keys
from leaven_plugins.transports.tcp.sockets import PING, connected
from leaven_plugins.transports.tcp.transport import Tcp


@contextlib.contextmanager
def listening(nworkers=0, **options):
    transport = Tcp(**options)
    transport.open(nworkers)
    try:
        yield transport
    finally:
        transport.close()


@pytest.fixture
def transport():
    with listening() as opened:
        yield opened


def joined(context, transport, keys=None):
    """Return the socket of a worker that has the keys of the run, or others."""
    keys = keys or WorkerKeys(transport.run_keys)
    return connected(context, tcp_address(transport.endpoint), keys, 3.0)[0]


def until(transport, condition, seconds=10.0):
    """Let the transport work until the condition holds; return all messages."""
    found = []
    deadline = time.monotonic() + seconds
    while not condition(found):
        assert time.monotonic() < deadline, found
        transport.wait([], 0.05)
        found += transport.receive()
    return found


def hello(context, transport, text=b"hello"):
    """Join; return the worker's socket and the number it was given."""
    peer = joined(context, transport)
    peer.send(text)
    ((number, message),) = until(transport, lambda found: found)
    assert message == text
    return peer, number


def worker_receives(transport, peer):
    while True:
        transport.wait([], 0.01)
        with contextlib.suppress(zmq.Again):
            message = peer.recv(zmq.NOBLOCK)
            if message != PING:
                return message


# ---- who joins


def test_peers_are_numbered_after_the_workers_of_this_machine(context):
    with listening(nworkers=2) as transport:
        (first, a), (second, b) = hello(context, transport), hello(context, transport)
        assert (a, b) == (2, 3)
        assert transport.send(3, b"for the second")
        assert transport.send(2, b"for the first")
        assert worker_receives(transport, first) == b"for the first"
        assert worker_receives(transport, second) == b"for the second"
        second.send(b"one")
        second.send(b"two")
        assert until(transport, lambda found: len(found) == 2) == [(3, b"one"), (3, b"two")]


def test_who_has_gone_is_told_once_and_its_number_is_never_used_again(context, transport):
    peer, number = hello(context, transport)
    assert transport.gone() == []
    peer.close()
    began = time.monotonic()
    gone = []
    until(transport, lambda _: gone.extend(transport.gone()) or gone)
    assert gone == [number]
    assert time.monotonic() - began < 5
    assert transport.gone() == []
    assert transport.send(number, b"anybody?") is False
    assert hello(context, transport)[1] == number + 1


def test_a_killed_process_is_noticed(transport):
    code = (
        "import sys, time, zmq\n"
        "from leaven_plugins.transports.addresses import tcp_address\n"
        "from leaven_plugins.transports.tcp.keys import WorkerKeys\n"
        "from leaven_plugins.transports.tcp.sockets import connected\n"
        "socket, _ = connected(zmq.Context(), tcp_address(sys.argv[1]), WorkerKeys(sys.argv[2]), 3.0)\n"
        "socket.send(b'hello'); time.sleep(60)\n"
    )
    process = subprocess.Popen([sys.executable, "-c", code, transport.endpoint, str(transport.run_keys)])
    ((number, _),) = until(transport, lambda found: found)
    process.kill()
    process.wait()
    gone = []
    until(transport, lambda _: gone.extend(transport.gone()) or gone, 5)
    assert gone == [number]


def test_to_send_to_nobody_is_refused(transport):
    assert transport.send(0, b"x") is False
    transport.close()
    with pytest.raises(TransportError, match="closed"):
        transport.send(0, b"x")
    assert transport.endpoint == ""
    assert transport.gone() == []


def test_one_who_does_not_read_is_not_waited_for(context, transport):
    peer, number = hello(context, transport)
    peer.set(zmq.RCVHWM, 1)
    sent = 0
    while sent < 1000 and transport.send(number, bytes(1_000_000)):
        sent += 1
    assert 0 < sent < 1000
    assert transport.gone() == []


def test_what_is_too_long_is_refused(context, transport, monkeypatch):
    _, number = hello(context, transport)
    monkeypatch.setattr("leaven_plugins.transports.tcp.peers.LIMIT", 1000)
    assert transport.send(number, bytes(1000))
    with pytest.raises(TransportError, match=r"1001 bytes.*limit of 1000.*batch_size"):
        transport.send(number, bytes(1001))


# ---- who does not


def nothing_comes(transport, peer, seconds=0.5):
    peer.send(b"let me in")
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        transport.wait([], 0.05)
        assert transport.receive() == []
    assert peer.poll(0) == 0 or peer.recv() == PING


def test_without_encryption_nothing_gets_in(context, transport):
    peer = context.socket(zmq.DEALER)
    peer.connect(transport.endpoint)
    nothing_comes(transport, peer)


def test_with_other_keys_nothing_gets_in(context, transport, tmp_path):
    OwnKeys(tmp_path)  # those of another run: neither is known to the other
    nothing_comes(transport, joined(context, transport, WorkerKeys(tmp_path)))


def test_a_key_that_is_not_listed_does_not_get_in(context, transport, tmp_path):
    OwnKeys(tmp_path)
    (tmp_path / "loader.pub").write_bytes((transport.run_keys / "loader.pub").read_bytes())
    nothing_comes(transport, joined(context, transport, WorkerKeys(tmp_path)))


def test_a_revoked_key_does_not_get_in_and_others_still_do(context, tmp_path):
    loader, first = make_keys(tmp_path, "first")
    _, second = make_keys(tmp_path, "second")
    with listening(keys=str(loader)) as transport:
        assert transport.run_keys is None
        peer = joined(context, transport, WorkerKeys(first))
        peer.send(b"hello")
        until(transport, lambda found: found == [(0, b"hello")])
        (loader / "workers" / "first.pub").unlink()
        nothing_comes(transport, joined(context, transport, WorkerKeys(first)))
        joined(context, transport, WorkerKeys(second)).send(b"hello")
        until(transport, lambda found: found == [(1, b"hello")])


def test_bytes_that_are_no_protocol_do_no_harm(context, transport):
    host, port = tcp_address(transport.endpoint)
    chance = random.Random(3)
    greeting = b"\xff" + bytes(8) + b"\x7f\x03\x00CURVE" + bytes(48)
    for n in range(200):
        with socket.create_connection((host, port)) as peer:
            start = greeting[: chance.randrange(len(greeting) + 1)] if n % 2 else b""
            with contextlib.suppress(OSError):
                peer.sendall(start + chance.randbytes(chance.randrange(300)))
        transport.wait([], 0)
        assert transport.receive() == []
    hello(context, transport)


# ---- what they say


def test_mutated_messages_do_no_harm(context, transport):
    """Of one that has a key: whatever its frames are, honest ones are heard, and nothing is raised."""
    peer, number = hello(context, transport)
    chance = random.Random(2)
    message = encode(Done(0, 1, 0, -1, [], [{"image": bytes(100)}], [], [], {}))
    for n in range(10_000):
        mutated = bytearray(message)
        for _ in range(chance.randrange(1, 8)):
            place = chance.randrange(len(mutated))
            mutated[place : place + chance.randrange(3)] = chance.randbytes(chance.randrange(3))
        peer.send(mutated)
        if n % 100 == 0:
            transport.wait([], 0)
            assert {worker for worker, _ in transport.receive()} <= {number}
    peer.send(b"the end")
    assert until(transport, lambda found: found and found[-1] == (number, b"the end"))


def test_three_malformed_messages_and_a_peer_is_heard_no_more(context, transport):
    peer, number = hello(context, transport)
    honest, other = hello(context, transport)
    for _ in range(3):
        peer.send_multipart([b"two", b"frames"])
    peer.send(b"and now?")
    honest.send(b"still here")
    found, gone = [], []
    until(transport, lambda new: gone.extend(transport.gone()) or found.extend(new) or (gone and found))
    assert gone == [number]
    assert set(found) == {(other, b"still here")}
    assert transport.send(number, b"x") is False
    assert worker_receives(transport, peer) == b""  # told to stop


def test_the_supervisor_may_blame_a_peer_as_well(context, transport):
    _, number = hello(context, transport)
    transport.blame(number)
    transport.blame(number)
    assert transport.gone() == []
    transport.blame(number)
    assert transport.gone() == [number]
    transport.blame(number)
    assert transport.gone() == []


def test_a_peer_cannot_choose_who_it_is(context, transport):
    hello(context, transport)
    keys = WorkerKeys(transport.run_keys)
    peer = context.socket(zmq.DEALER)
    peer.set(zmq.CURVE_SERVERKEY, keys.loader)
    peer.set(zmq.CURVE_SECRETKEY, keys.pair.secret)
    peer.set(zmq.CURVE_PUBLICKEY, keys.pair.public)
    peer.set(zmq.ROUTING_ID, b"I am 0")
    peer.connect(transport.endpoint)
    nothing_comes(transport, peer)


# ---- where it listens


@pytest.mark.parametrize(
    "address", ["tcp://0.0.0.0:0", "tcp://*:0", "tcp://[::]:0", "tcp://eth0:0", "tcp://10.0.0.1:0"]
)
def test_without_keys_it_listens_on_loopback_only(address):
    transport = Tcp(address)
    with pytest.raises(TransportError, match="keygen"):
        transport.open(0)
    transport.close()


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:0", "tcp://localhost:0", "tcp://127.1.2.3:0"])
def test_the_address_that_it_got_is_told(address):
    with listening(listen=address) as transport:
        assert tcp_address(transport.endpoint).is_loopback
        assert tcp_address(transport.endpoint).port > 0


def test_ipv6(context):
    with socket.socket(socket.AF_INET6) as probe:
        try:
            probe.bind(("::1", 0))
        except OSError:
            pytest.skip("no IPv6 here")
    with listening(listen="tcp://[::1]:0") as transport:
        assert transport.endpoint.startswith("tcp://[::1]:")
        hello(context, transport)


def test_with_keys_it_may_listen_anywhere(tmp_path):
    loader, _ = make_keys(tmp_path, "a")
    with listening(listen="tcp://0.0.0.0:0", keys=str(loader)) as transport:
        assert transport.endpoint.startswith("tcp://0.0.0.0:")


def test_an_address_that_is_taken_is_named(transport):
    other = Tcp(transport.endpoint)
    with pytest.raises(TransportError, match="cannot listen at tcp://127"):
        other.open(1)
    other.close()


def test_keys_that_are_missing_are_named(tmp_path):
    transport = Tcp(keys=str(tmp_path))
    with pytest.raises(TransportError, match=r"secret\.key.*keygen"):
        transport.open(0)
    transport.close()


@pytest.mark.parametrize(
    "options",
    [{"patience": value} for value in (0, -1, "x", None, True, float("nan"), float("inf"), 1e9)]
    + [{"queue": value} for value in (0, -1, "x")],
)
def test_parameters_out_of_range(options):
    (name,) = options
    with pytest.raises(ParameterError, match=f"{name}="):
        Tcp(**options)


def test_who_shows_no_key_is_sent_away(transport):
    host, port = transport.endpoint.removeprefix("tcp://").split(":")
    with socket.create_connection((host, int(port))) as silent:
        silent.settimeout(20)
        while silent.recv(1000):  # the greeting, and then the end
            pass


def lets_in(transport):
    host, port = transport.endpoint.removeprefix("tcp://").split(":")
    with contextlib.suppress(TimeoutError):
        socket.create_connection((host, int(port)), 0.1).close()
        return True
    return False


def test_while_descriptors_are_few_nobody_joins_so_that_a_worker_can(context, monkeypatch):
    monkeypatch.setattr("leaven_plugins.transports.tcp.door._CLOSED", 0.5)
    with listening(nworkers=1) as transport:
        peer, number = hello(context, transport)
        transport.renew(0)
        assert lets_in(transport)
        with monkeypatch.context() as few:
            few.setattr("leaven_plugins.transports.tcp.door._free_descriptors", lambda: 0)
            transport.renew(0)
            transport.renew(0)
        assert not lets_in(transport)
        assert transport.send(number, b"still here")
        assert worker_receives(transport, peer) == b"still here"
        until(transport, lambda _: lets_in(transport))
        assert hello(context, transport)[1] == number + 1
