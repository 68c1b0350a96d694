"""ZeroMQ: one PUSH socket to each worker, one PULL socket for all answers, on ipc paths in a private folder.

Only descriptors of batches travel; a worker's answers carry its number in a frame of their own.
"""

from __future__ import annotations

import os
import shutil
import struct
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import zmq

from leaven.errors import TransportError
from leaven.protocols import Channel

_LIMIT = 107  # bytes of a unix socket's path, on Linux
_NUMBER = struct.Struct("!I")


class ZeroMQ:
    """Workers in processes of their own.

    The sockets' folder has mode 0700: abstract or tcp sockets would be open to every user of the machine. It is removed
    as soon as every worker has spoken, since connected sockets do not need their paths: nothing is left behind, even if
    everything is killed.

    Args:
        queue: messages that wait in a worker's socket at most, besides the one it is on. What a dead worker had
            queued must be done again, so it is kept small; the loader's own accounting is the true limit.
        folder: where the private folder is made; by default ``$XDG_RUNTIME_DIR`` or the temporary folder.
    """

    in_process = False
    concurrent = True

    def __init__(self, queue: int = 8, folder: str | None = None) -> None:
        self._queue = queue
        self._parent = folder
        self._folder: Path | None = None
        self._context: zmq.Context[zmq.Socket[bytes]] | None = None
        self._to_workers: list[zmq.Socket[bytes]] = []
        self._answers: zmq.Socket[bytes] | None = None
        self._silent: set[int] = set()
        self._refusing: set[int] = set()
        self._poller = zmq.Poller()
        self._watched: set[int] = set()

    def open(self, nworkers: int, handlers: Sequence[Callable[[bytes], Iterable[bytes]]] | None = None) -> None:
        """Bind the sockets.

        Raises:
            TransportError: the folder cannot be made or its path is too long for a socket.
        """
        self._folder = _private_folder(self._parent)
        self._context = zmq.Context()
        try:
            self._answers = self._bound(zmq.PULL, "answers")
            self._to_workers = [self._bound(zmq.PUSH, f"worker-{number}") for number in range(nworkers)]
        except TransportError:
            self.close()
            raise
        self._poller.register(self._answers, zmq.POLLIN)
        self._silent = set(range(nworkers))

    def renew(self, worker: int) -> None:
        """Give the worker's successor a socket of its own, and the answers' socket a path again if it has none."""
        self._to_workers[worker].close()
        self._refusing.discard(worker)
        if self._folder is None:
            self._folder = _private_folder(self._parent)
            _bind(self._answers, self._folder / "answers")
        (self._folder / f"worker-{worker}").unlink(missing_ok=True)
        self._to_workers[worker] = self._bound(zmq.PUSH, f"worker-{worker}")
        self._silent.add(worker)

    def address(self, worker: int) -> Mapping[str, Any]:
        """Return the two paths that the worker connects to, and its number."""
        if self._folder is None:
            raise TransportError("zeromq transport: it is not open")
        return {"folder": str(self._folder), "worker": worker}

    def connect(self, address: Mapping[str, Any]) -> Channel:
        """Return the worker's end."""
        return _Channel(str(address["folder"]), int(address["worker"]), self._queue)

    def send(self, worker: int, message: bytes) -> bool:
        """Hand the message to the worker's socket; ``False`` where it is full or nobody has connected yet."""
        if self._context is None:
            raise TransportError("zeromq transport: it is closed")
        try:
            self._to_workers[worker].send(message, zmq.NOBLOCK)
        except zmq.Again:
            self._refusing.add(worker)
            return False
        except zmq.ZMQError as error:
            raise TransportError(f"zeromq transport: cannot send to worker {worker}: {error}") from error
        return True

    def receive(self) -> list[tuple[int, bytes]]:
        """Return all answers that have arrived."""
        if self._answers is None:
            return []
        found = []
        while True:
            try:
                number, message = self._answers.recv_multipart(zmq.NOBLOCK)
            except zmq.Again:
                break
            found.append((_NUMBER.unpack(number)[0], message))
        if self._silent and found:
            self._silent.difference_update(worker for worker, _ in found)
            if not self._silent:
                self._remove_folder()
        return found

    def wait(self, fds: Sequence[int], timeout: float | None) -> list[int]:
        """Poll the answers' socket together with ``fds``, and with the sockets that could not take a message."""
        wanted = set(fds)
        for fd in wanted - self._watched:
            self._poller.register(fd, zmq.POLLIN)
        for fd in self._watched - wanted:
            self._poller.unregister(fd)
        self._watched = wanted
        for worker in self._refusing:
            self._poller.register(self._to_workers[worker], zmq.POLLOUT)
        ready = self._poller.poll(None if timeout is None else int(timeout * 1000))
        while self._refusing:
            self._poller.unregister(self._to_workers[self._refusing.pop()])
        return [int(source) for source, _ in ready if isinstance(source, int)]

    def close(self) -> None:
        """Close the sockets, dropping what they hold."""
        if self._context is not None:
            self._context.destroy(linger=0)
            self._context = None
        self._answers, self._to_workers = None, []
        self._poller, self._watched, self._refusing = zmq.Poller(), set(), set()
        self._remove_folder()

    def _bound(self, kind: int, name: str) -> zmq.Socket[bytes]:
        assert self._context is not None
        assert self._folder is not None
        socket = self._context.socket(kind)
        socket.set(zmq.LINGER, 0)  # nothing in flight is worth waiting for
        socket.set(zmq.SNDHWM, self._queue)
        socket.set(zmq.RCVHWM, 0)  # bounded by the batches' slots; a full inbox must not stop a worker
        _bind(socket, self._folder / name)
        return socket

    def _remove_folder(self) -> None:
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None


class _Channel:
    """A worker's end: it pulls work from its own socket and pushes answers to the common one."""

    def __init__(self, folder: str, worker: int, queue: int) -> None:
        self._number = _NUMBER.pack(worker)
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self._work = self._connected(zmq.PULL, f"{folder}/worker-{worker}", queue)
        self._answers = self._connected(zmq.PUSH, f"{folder}/answers", 0)

    def receive(self) -> bytes:
        return self._work.recv()

    def send(self, message: bytes) -> None:
        self._answers.send_multipart([self._number, message])

    def close(self) -> None:
        self._answers.close(linger=200)  # ms: the last answer may be why this worker ends
        self._context.destroy(linger=0)

    def _connected(self, kind: int, path: str, queue: int) -> zmq.Socket[bytes]:
        socket = self._context.socket(kind)
        socket.set(zmq.LINGER, 200)
        socket.set(zmq.RCVHWM, queue)
        socket.set(zmq.SNDHWM, 0)
        socket.connect(f"ipc://{path}")
        return socket


def _bind(socket: zmq.Socket[bytes] | None, path: Path) -> None:
    assert socket is not None
    try:
        socket.bind(f"ipc://{path}")
    except zmq.ZMQError as error:
        raise TransportError(f"zeromq transport: cannot bind a socket to {path}: {error}") from error


def _private_folder(parent: str | None) -> Path:
    parent = parent or os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir()
    try:
        folder = Path(tempfile.mkdtemp(prefix="leaven-", dir=parent))
    except OSError as error:
        raise TransportError(
            f"zeromq transport: cannot make a folder for sockets in {parent!r} ({error.strerror}); "
            "set TMPDIR to one that can be written"
        ) from error
    if len(str(folder / "worker-000")) > _LIMIT:
        shutil.rmtree(folder, ignore_errors=True)
        raise TransportError(
            f"zeromq transport: {str(folder)!r} is too long for a socket's path ({_LIMIT} bytes); "
            "set TMPDIR to a shorter one"
        )
    return folder
