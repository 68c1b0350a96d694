"""ZeroMQ: a PUSH socket to each worker, and a PULL socket for its answers, on ipc paths in a private folder.

Only descriptors of batches travel. Each worker has a socket for its answers, which goes when it does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import zmq

from leaven.errors import ParameterError, TransportError
from leaven.protocols import Channel
from leaven.stream.messages import LIMIT
from leaven_plugins.transports.folders import PrivateFolder, no_descriptors, remove_abandoned
from leaven_plugins.transports.rejects import Rejects
from leaven_plugins.transports.zeromq.channel import WorkerChannel

Socket = zmq.Socket[bytes]
Source = TypeVar("Source", bound=int | Socket)

_UNREAD = 1000  # answers that one worker may have waiting here: more than it could have slots for
_MOST_QUEUED = 1_000_000
_AT_ONCE = 10_000  # messages that one call takes in, however many there are


class ZeroMQ:
    """Workers in processes of their own.

    The sockets' folder has mode 0700: abstract or tcp sockets would be open to every user of the machine. It is removed
    as soon as every worker has spoken, since connected sockets do not need their paths: nothing is left behind, even if
    everything is killed. What is killed sooner leaves a folder whose lock nobody holds, and the next loader removes it.

    Args:
        queue: messages that wait in a worker's socket at most, besides the one it is on. What a dead worker had
            queued must be done again, so it is kept small; the loader's own accounting is the true limit.
        folder: where the private folder is made; by default ``$XDG_RUNTIME_DIR`` or the temporary folder.

    Raises:
        ParameterError: ``queue`` is no number of messages.
    """

    in_process = False
    concurrent = True

    def __init__(self, queue: int = 8, folder: str | None = None) -> None:
        if type(queue) is not int or not 1 <= queue <= _MOST_QUEUED:
            raise ParameterError(f"queue={queue!r}: expected a whole number of messages, 1 to {_MOST_QUEUED}")
        self._queue = queue
        self._parent = folder
        self._folder: PrivateFolder | None = None
        self._context: zmq.Context[Socket] | None = None
        self._to_workers: list[Socket] = []
        self._answers: list[Socket] = []
        self._rejects = Rejects("zeromq transport")
        self._silent: set[int] = set()
        self._refusing: set[int] = set()
        self._poller = zmq.Poller()
        self._watched: set[int | Socket] = set()

    def open(self, nworkers: int, handlers: Sequence[Callable[[bytes], Iterable[bytes]]] | None = None) -> None:
        """Bind the sockets.

        Raises:
            TransportError: the folder cannot be made or its path is too long for a socket.
        """
        self._folder = _private_folder(self._parent)
        self._context = zmq.Context()
        try:
            for number in range(nworkers):
                self._to_workers.append(self._bound(zmq.PUSH, f"worker-{number}"))
                self._answers.append(self._bound(zmq.PULL, f"answers-{number}"))
        except TransportError:
            self.close()
            raise
        for socket in self._answers:
            self._poller.register(socket, zmq.POLLIN)
        self._silent = set(range(nworkers))
        if not self._silent:
            self._remove_folder()

    def renew(self, worker: int) -> None:
        """Give the worker's successor sockets of its own; what its predecessor has said and nobody has read is lost.

        Raises:
            TransportError: they cannot be made now; the predecessor's stay, and it can be tried again.
        """
        if self._folder is None:
            self._folder = _private_folder(self._parent)
        for name in (f"worker-{worker}", f"answers-{worker}"):
            (self._folder.path / name).unlink(missing_ok=True)
        work = self._bound(zmq.PUSH, f"worker-{worker}")
        try:
            answers = self._bound(zmq.PULL, f"answers-{worker}")
        except TransportError:
            work.close()
            raise
        self._refusing.discard(worker)
        self._poller.unregister(self._answers[worker])
        self._poller.register(answers, zmq.POLLIN)
        for socket in (self._to_workers[worker], self._answers[worker]):
            socket.close()
        self._to_workers[worker], self._answers[worker] = work, answers
        self._silent.add(worker)

    def address(self, worker: int) -> Mapping[str, Any]:
        """Return the two paths that the worker connects to, and its number."""
        if self._folder is None:
            raise TransportError("zeromq transport: it is not open")
        return {"folder": str(self._folder.path), "worker": worker}

    def connect(self, address: Mapping[str, Any]) -> Channel:
        """Return the worker's end."""
        return WorkerChannel(str(address["folder"]), int(address["worker"]), self._queue)

    def abandoned(self, address: Mapping[str, Any]) -> None:
        """Remove the folder of a loader that has died before its workers were connected."""
        remove_abandoned(str(Path(address["folder"]).parent))

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
        """Return the answers that have arrived; what is not of one frame is counted and dropped."""
        found: list[tuple[int, bytes]] = []
        for worker, socket in enumerate(self._answers):
            for _ in range(_AT_ONCE):
                if not int(socket.get(zmq.EVENTS)) & zmq.POLLIN:  # cheaper than the exception of a receive in vain
                    break
                frames = socket.recv_multipart(zmq.NOBLOCK)
                if len(frames) == 1:
                    found.append((worker, frames[0]))
                else:
                    self._rejects.add(f"{len(frames)} frames")
        if self._silent and found:
            self._silent.difference_update(worker for worker, _ in found if self._listens(worker))
            if not self._silent:
                self._remove_folder()
        return found

    def _listens(self, worker: int) -> bool:
        """Return whether somebody is at the other end of the worker's socket."""
        return bool(int(self._to_workers[worker].get(zmq.EVENTS)) & zmq.POLLOUT)

    def wait(self, fds: Sequence[int], timeout: float | None) -> list[int]:
        """Wait for ``fds``, for answers, and for the sockets that could not take a message."""
        return self.poll(fds, timeout)

    def poll(self, sources: Iterable[Source], timeout: float | None) -> list[Source]:
        """Wait like :meth:`wait`, for further sockets as well, and return those of ``sources`` that can be read."""
        asked = list(sources)
        wanted: set[int | Socket] = set(asked)
        for source in wanted - self._watched:
            self._poller.register(source, zmq.POLLIN)
        for source in self._watched - wanted:
            self._poller.unregister(source)
        self._watched = wanted
        for worker in self._refusing:
            self._poller.register(self._to_workers[worker], zmq.POLLOUT)
        ready = {source for source, _ in self._poller.poll(None if timeout is None else int(timeout * 1000))}
        while self._refusing:
            self._poller.unregister(self._to_workers[self._refusing.pop()])
        return [source for source in asked if source in ready]

    def close(self) -> None:
        """Close the sockets, dropping what they hold."""
        if self._context is not None:
            self._context.destroy(linger=0)
            self._context = None
        self._answers, self._to_workers = [], []
        self._poller, self._watched, self._refusing = zmq.Poller(), set(), set()
        self._remove_folder()

    def _bound(self, kind: int, name: str) -> Socket:
        """Return a socket of the loader's side. Nothing on it ever waits: sends are tried, closing drops.

        IMMEDIATE stays as it is: it is about connections that a socket makes, and this one accepts them. Before a
        worker has connected there is nothing that a message could wait in, and sending says so.
        """
        assert self._context is not None
        assert self._folder is not None
        path = self._folder.path / name
        try:
            socket = self._context.socket(kind)
        except zmq.ZMQError as error:
            raise _failed(path, error) from error
        socket.set(zmq.LINGER, 0)  # nothing in flight is worth waiting for
        socket.set(zmq.SNDHWM, self._queue)
        socket.set(zmq.RCVHWM, _UNREAD)  # a full inbox stops nobody: what a worker then says waits on its own side
        socket.set(zmq.MAXMSGSIZE, LIMIT)
        try:
            socket.bind(f"ipc://{path}")
        except zmq.ZMQError as error:
            socket.close()
            raise _failed(path, error) from error
        return socket

    def _remove_folder(self) -> None:
        if self._folder is not None:
            self._folder.remove()
            self._folder = None


def _failed(path: Path, error: zmq.ZMQError) -> TransportError:
    remedy = no_descriptors(error.errno)
    return TransportError(f"zeromq transport: cannot bind a socket to {path}: {error}{remedy and '; '}{remedy}")


def _private_folder(parent: str | None) -> PrivateFolder:
    try:
        return PrivateFolder(parent)
    except TransportError as error:
        raise TransportError(f"zeromq transport: {error}") from error
