"""Proxy: passes messages on from one socket to another, in a process of its own."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import zmq

from leaven.errors import ParameterError, TransportError
from leaven.stream.messages import LIMIT
from leaven.stream.polling import readable
from leaven_plugins.transports.addresses import tcp_address

_START = 20.0  # seconds that the process has to bind its sockets: an interpreter, and an import
_END = 5.0
_PACKAGES = [str(Path(__file__).parents[3]), str(Path(zmq.__file__).parents[1])]


class Proxy:
    """Forwards what is pushed to one address to those who pull from another, so that both sides may come and go.

    Messages are passed on in order, whatever is in them. Only programs of this machine can reach it: without keys no
    other address is safe. Use it as a context, or with :meth:`start` and :meth:`stop`; it ends when this process does.

    Args:
        in_address: where PUSH sockets connect: ``ipc://PATH`` or ``tcp://127.0.0.1:PORT`` (port 0 takes any free one).
        out_address: where PULL sockets connect.
        queue_length: messages that wait for each of those who pull, and from each who pushes, at most.

    Attributes:
        in_address: the address, after the start with its port.
        out_address: the same.

    Raises:
        TransportError: other hosts could reach an address, or it is none.
        ParameterError: ``queue_length`` is no whole number, at least 1.
    """

    def __init__(self, in_address: str, out_address: str, queue_length: int = 1) -> None:
        if type(queue_length) is not int or not 1 <= queue_length < 1 << 31:
            raise ParameterError(f"queue_length={queue_length!r}: expected a whole number, at least 1")
        self._wanted = [_local(in_address), _local(out_address)]
        self.in_address, self.out_address = self._wanted
        self._queue_length = queue_length
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> Proxy:
        """Start the process; return when its sockets are bound.

        Raises:
            TransportError: they cannot be: an address is in use, or a file that is no socket lies at its path.
        """
        if self._process is not None:
            raise TransportError("the proxy runs already")
        arguments = [*self._wanted, str(self._queue_length), str(os.getpid())]
        path = os.pathsep.join([*_PACKAGES, *filter(None, sys.path)])
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", __name__, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": path},
        )
        said = self._first_line()
        if isinstance(said, str):
            self.stop()
            raise TransportError(f"proxy: {said}")
        self.in_address, self.out_address = said
        return self

    def stop(self) -> None:
        """End the process; what it holds is dropped. Idempotent."""
        process, self._process = self._process, None
        if process is None:
            return
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.close()  # it ends when this does
        try:
            process.wait(_END)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()

    def __enter__(self) -> Proxy:
        return self.start()

    def __exit__(self, *raised: object) -> None:
        self.stop()

    def _first_line(self) -> list[str] | str:
        """Return the addresses that it has bound, or what went wrong."""
        assert self._process is not None
        assert self._process.stdout is not None
        line = self._process.stdout.readline() if readable([self._process.stdout.fileno()], _START) else b""
        try:
            said: list[str] | str = json.loads(line)
        except ValueError:
            return f"its process did not start, within {_START:.0f} s or at all"
        return said


def _local(address: str) -> str:
    if address.startswith("ipc:///"):
        return address
    tcp = tcp_address(address)
    if not tcp.is_loopback:
        raise TransportError(
            f"a proxy has no keys, so that it must not be reached by other hosts as {address} can be; use "
            "tcp://127.0.0.1:PORT, or ipc:// and an absolute path"
        )
    return str(tcp._replace(host="127.0.0.1") if tcp.host == "localhost" else tcp)


def _main(in_address: str, out_address: str, queue_length: str, parent: str) -> None:
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    endpoints: list[str] = []
    try:
        source = _bound(context, zmq.PULL, in_address, int(queue_length))
        endpoints.append(_endpoint(source))
        drain = _bound(context, zmq.PUSH, out_address, int(queue_length))
        endpoints.append(_endpoint(drain))
        print(json.dumps(endpoints), flush=True)
        _forward(source, drain, _lifelines(int(parent)))
    except (zmq.ZMQError, TransportError) as error:
        print(json.dumps(str(error)), flush=True)
    finally:
        context.destroy(linger=0)
        for path in (endpoint.removeprefix("ipc://") for endpoint in endpoints if endpoint.startswith("ipc://")):
            if _file_type(path) == stat.S_IFSOCK:
                Path(path).unlink(missing_ok=True)


def _bound(context: zmq.Context[zmq.Socket[bytes]], kind: int, address: str, queue_length: int) -> zmq.Socket[bytes]:
    if address.startswith("ipc://") and _file_type(address.removeprefix("ipc://")) not in (None, stat.S_IFSOCK):
        raise TransportError(f"cannot bind a socket to {address}: a file that is no socket is there")  # bind removes it
    socket = context.socket(kind)
    socket.set(zmq.SNDHWM, queue_length)
    socket.set(zmq.RCVHWM, queue_length)
    socket.set(zmq.MAXMSGSIZE, LIMIT)
    socket.set(zmq.IPV6, int("[" in address))
    try:
        socket.bind(address)
    except zmq.ZMQError as error:
        raise zmq.ZMQError(error.errno, f"cannot bind a socket to {address}: {error.strerror}") from error
    return socket


def _file_type(path: str) -> int | None:
    try:
        return stat.S_IFMT(os.lstat(path).st_mode)
    except OSError:
        return None


def _endpoint(socket: zmq.Socket[bytes]) -> str:
    return bytes(socket.get(zmq.LAST_ENDPOINT)).rstrip(b"\0").decode()


def _lifelines(parent: int) -> list[int]:
    """Return descriptors of which one becomes readable when the parent ends: a fork of it may hold the pipe open."""
    lifelines = [sys.stdin.fileno()]
    if hasattr(os, "pidfd_open"):
        try:
            lifelines.append(os.pidfd_open(parent))
        except ProcessLookupError:
            sys.exit(1)
    return lifelines


def _forward(source: zmq.Socket[bytes], drain: zmq.Socket[bytes], lifelines: Iterable[int]) -> None:
    """Pass messages on; one is taken only when there is somebody who can have it."""
    lines = set(lifelines)
    ready, waiting = _poller(lines, drain, zmq.POLLOUT), _poller(lines, source, zmq.POLLIN)
    while not lines & dict(ready.poll()).keys() and not lines & dict(waiting.poll()).keys():
        while drain.poll(0, zmq.POLLOUT) and source.poll(0, zmq.POLLIN):
            drain.send_multipart(source.recv_multipart())


def _poller(lifelines: Iterable[int], socket: zmq.Socket[bytes], event: int) -> zmq.Poller:
    poller = zmq.Poller()
    for fd in lifelines:
        poller.register(fd, zmq.POLLIN)
    poller.register(socket, event)
    return poller


if __name__ == "__main__":
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal's Ctrl-C is for the parent
    _main(*sys.argv[1:])
