"""The worker's end of the ZeroMQ transport."""

from __future__ import annotations

import zmq

from leaven.errors import TransportError
from leaven.stream.messages import LIMIT
from leaven_plugins.transports.rejects import Rejects

_LINGER = 200  # ms: the last answer may be why this worker ends


class WorkerChannel:
    """Pulls work from one of the worker's own sockets, and pushes answers to the other.

    Args:
        folder: of the sockets.
        worker: the worker's number.
        queue: messages that wait at most.
    """

    def __init__(self, folder: str, worker: int, queue: int) -> None:
        self._rejects = Rejects(f"worker {worker}")
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self._work = self._connected(zmq.PULL, f"{folder}/worker-{worker}", queue)
        self._answers = self._connected(zmq.PUSH, f"{folder}/answers-{worker}", queue)

    def receive(self) -> bytes:
        """Wait for the next message of one frame; others are counted and dropped."""
        while len(frames := self._work.recv_multipart()) != 1:
            self._rejects.add(f"{len(frames)} frames")
        return frames[0]

    def send(self, message: bytes) -> None:
        """Send a message to the loader.

        Raises:
            TransportError: it is too long.
        """
        if len(message) > LIMIT:
            raise TransportError(
                f"an answer of {len(message)} bytes is over the limit of {LIMIT}; take a smaller batch_size, or more "
                "num_mini_batches"
            )
        self._answers.send(message)

    def close(self) -> None:
        """Give back everything."""
        self._answers.close(linger=_LINGER)
        self._context.destroy(linger=0)

    def _connected(self, kind: int, path: str, queue: int) -> zmq.Socket[bytes]:
        socket = self._context.socket(kind)
        socket.set(zmq.LINGER, _LINGER)
        socket.set(zmq.RCVHWM, queue)
        socket.set(zmq.SNDHWM, 0)  # as many answers as there was work: the loader's accounting is their limit
        socket.set(zmq.IMMEDIATE, 1)  # what is said goes to the loader that is there, and is not kept for another one
        socket.set(zmq.MAXMSGSIZE, LIMIT)
        socket.connect(f"ipc://{path}")
        return socket
