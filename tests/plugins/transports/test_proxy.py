from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from socket import AF_UNIX
from socket import socket as unix_socket

import pytest
import zmq

from leaven.errors import ParameterError, TransportError
from leaven_plugins.transports.zeromq import Proxy


def connected(context, kind, address):
    socket = context.socket(kind)
    socket.set(zmq.RCVTIMEO, 20_000)
    socket.connect(address)
    return socket


@pytest.mark.parametrize("scheme", ["ipc", "tcp"])
def test_messages_pass_in_order(context, tmp_path, scheme):
    addresses = [f"ipc://{tmp_path}/{end}" if scheme == "ipc" else "tcp://127.0.0.1:0" for end in ("in", "out")]
    with Proxy(*addresses) as proxy:
        source, drain = connected(context, zmq.PUSH, proxy.in_address), connected(context, zmq.PULL, proxy.out_address)
        for n in range(100):
            source.send_multipart([b"%d" % n, b"x" * n])
        assert [drain.recv_multipart() for n in range(100)] == [[b"%d" % n, b"x" * n] for n in range(100)]
    assert list(tmp_path.iterdir()) == []


def test_it_takes_no_more_than_it_can_pass_on(context):
    with Proxy("tcp://127.0.0.1:0", "tcp://127.0.0.1:0", queue_length=2) as proxy:
        source = connected(context, zmq.PUSH, proxy.in_address)
        source.set(zmq.SNDHWM, 1)
        source.set(zmq.SNDTIMEO, 500)
        with pytest.raises(zmq.Again):
            for _ in range(1000):
                source.send(bytes(1_000_000))


def test_it_starts_again(context):
    proxy = Proxy("tcp://127.0.0.1:0", "tcp://127.0.0.1:0")
    for _ in range(2):
        proxy.start()
        with pytest.raises(TransportError, match="runs already"):
            proxy.start()
        proxy.stop()
        proxy.stop()


@pytest.mark.parametrize("address", ["tcp://0.0.0.0:0", "tcp://*:0", "tcp://eth0:1", "ipc://relative", "inproc://x"])
def test_other_hosts_cannot_reach_it(address):
    with pytest.raises(TransportError, match=r"address|other hosts"):
        Proxy(address, "tcp://127.0.0.1:0")


def test_an_address_that_cannot_be_bound_is_named(tmp_path):
    with pytest.raises(TransportError, match="cannot bind a socket to ipc"):
        Proxy(f"ipc://{tmp_path}/missing/in", "tcp://127.0.0.1:0").start()


@pytest.mark.parametrize("end", ["in", "out"])
def test_a_file_that_is_no_socket_stays(tmp_path, end):
    (tmp_path / end).write_text("precious")
    with pytest.raises(
        TransportError, match=f"cannot bind a socket to ipc://{tmp_path}/{end}: a file that is no socket"
    ):
        Proxy(f"ipc://{tmp_path}/in", f"ipc://{tmp_path}/out").start()
    assert [path.name for path in tmp_path.iterdir()] == [end]
    assert (tmp_path / end).read_text() == "precious"


def test_a_file_that_has_come_in_the_sockets_place_stays(tmp_path):
    with Proxy(f"ipc://{tmp_path}/in", "tcp://127.0.0.1:0"):
        (tmp_path / "in").unlink()
        (tmp_path / "in").write_text("precious")
    assert (tmp_path / "in").read_text() == "precious"


def test_a_socket_that_was_left_behind_is_taken_over(tmp_path):
    with unix_socket(AF_UNIX) as left:
        left.bind(str(tmp_path / "in"))
    with Proxy(f"ipc://{tmp_path}/in", "tcp://127.0.0.1:0"):
        pass
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("length", ["x", 0, -1, 1.5, True, None, 1 << 31])
def test_queue_lengths_that_are_none(length):
    with pytest.raises(ParameterError, match="queue_length="):
        Proxy("tcp://127.0.0.1:0", "tcp://127.0.0.1:0", length)


def test_it_does_not_outlive_its_parent():
    code = (
        "import os, time\n"
        "from leaven_plugins.transports.zeromq import Proxy\n"
        "proxy = Proxy('tcp://127.0.0.1:0', 'tcp://127.0.0.1:0').start()\n"
        "children = open(f'/proc/self/task/{os.getpid()}/children').read()\n"
        "if os.fork() == 0: time.sleep(30)\n"  # a fork holds the pipe open
        "print(children, flush=True); time.sleep(30)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, start_new_session=True)
    child = int(parent.stdout.readline())
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    deadline = time.monotonic() + 10
    while os.path.exists(f"/proc/{child}") and _state(child) != "Z":
        assert time.monotonic() < deadline
        time.sleep(0.02)
    os.killpg(parent.pid, signal.SIGKILL)
    parent.stdout.close()


def _state(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0]
    except OSError:
        return "Z"
