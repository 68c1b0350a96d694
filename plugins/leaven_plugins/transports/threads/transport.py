"""Threads: each worker is a thread of the loader's process, with a queue of its own."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from queue import Empty, SimpleQueue
from typing import Any

from leaven.errors import TransportError
from leaven.protocols import Channel
from leaven.stream.polling import readable

_STOP = None
_GRACE = 1.0  # seconds


class Threads:
    """The fastest start, and one memory; for work that is done outside of Python's lock, as most of OpenCV's is.

    Workers in Python get in each other's way and in the consumer's: they are better off as processes.
    """

    in_process = True
    concurrent = True

    def __init__(self) -> None:
        self._queues: list[SimpleQueue[bytes | None]] = []
        self._answers: deque[tuple[int, bytes]] = deque()
        self._arrived = -1
        self._threads: list[threading.Thread] = []

    def open(self, nworkers: int, handlers: Sequence[Callable[[bytes], Iterable[bytes]]] | None = None) -> None:
        """Start the threads."""
        if handlers is None or len(handlers) != nworkers:
            raise TransportError(f"threads transport: one handler for each of {nworkers} workers is needed")
        answers: deque[tuple[int, bytes]] = deque()
        self._answers = answers
        self._arrived = arrived = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._queues = [SimpleQueue() for _ in handlers]
        for number, (queue, handler) in enumerate(zip(self._queues, handlers, strict=True)):
            arguments = (number, queue, handler, answers, os.dup(arrived))
            thread = threading.Thread(target=_serve, args=arguments, name=f"leaven-worker-{number}", daemon=True)
            self._threads.append(thread)
            thread.start()

    def address(self, worker: int) -> Mapping[str, Any]:
        """There is none: no other process can join."""
        raise TransportError("threads transport: workers in other processes cannot join; use transport 'zeromq'")

    def connect(self, address: Mapping[str, Any]) -> Channel:
        """There is no other end."""
        raise TransportError("threads transport: workers in other processes cannot join; use transport 'zeromq'")

    def renew(self, worker: int) -> None:
        """A thread cannot die alone."""
        raise TransportError("threads transport: its workers live and die with the loader")

    def send(self, worker: int, message: bytes) -> bool:
        """Put the message into the worker's queue."""
        if not self._queues:
            raise TransportError("threads transport: it is closed")
        self._queues[worker].put(message)
        return True

    def receive(self) -> list[tuple[int, bytes]]:
        """Return all answers that have arrived."""
        found = []
        while self._answers:
            found.append(self._answers.popleft())
        return found

    def wait(self, fds: Sequence[int], timeout: float | None) -> list[int]:
        """Wait for an answer or for ``fds``."""
        own = [self._arrived] if self._arrived >= 0 else []
        found = readable([*fds, *own], timeout)
        if self._arrived in found:
            found.remove(self._arrived)
            with contextlib.suppress(BlockingIOError):
                os.eventfd_read(self._arrived)
        return found

    def close(self) -> None:
        """Tell the threads to end after what they are on, and give them a second to do so.

        A thread that is in C++ code while the interpreter ends takes it down.
        """
        for queue in self._queues:
            with contextlib.suppress(Empty):
                while True:
                    queue.get_nowait()
            queue.put(_STOP)
        self._queues = []
        deadline = time.monotonic() + _GRACE
        for thread in self._threads:
            if thread is not threading.current_thread():
                thread.join(max(0.0, deadline - time.monotonic()))
        self._threads = []
        self._answers = deque()
        if self._arrived >= 0:
            os.close(self._arrived)
            self._arrived = -1


def _serve(
    number: int,
    queue: SimpleQueue[bytes | None],
    handler: Callable[[bytes], Iterable[bytes]],
    answers: deque[tuple[int, bytes]],
    arrived: int,
) -> None:
    """Answer messages until told to stop. ``arrived`` is the thread's own descriptor: the transport may close first."""
    try:
        while (message := queue.get()) is not _STOP:
            for answer in handler(message):
                answers.append((number, answer))
                os.eventfd_write(arrived, 1)
    finally:
        os.close(arrived)
