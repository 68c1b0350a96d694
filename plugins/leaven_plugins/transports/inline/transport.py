"""Inline: a worker's answer is computed when the loader waits for it, in the thread that waits."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from leaven.errors import TransportError
from leaven.protocols import Channel
from leaven.stream.polling import readable


class Inline:
    """No other process and no other thread: breakpoints, profilers and ``print`` work inside of workers."""

    in_process = True
    concurrent = False

    def __init__(self) -> None:
        self._handlers: Sequence[Callable[[bytes], Iterable[bytes]]] | None = None
        self._pending: deque[tuple[int, bytes]] = deque()
        self._answers: list[tuple[int, bytes]] = []

    def open(self, nworkers: int, handlers: Sequence[Callable[[bytes], Iterable[bytes]]] | None = None) -> None:
        """Keep the workers' handlers."""
        if handlers is None or len(handlers) != nworkers:
            raise TransportError(f"inline transport: one handler for each of {nworkers} workers is needed")
        self._handlers = handlers

    def address(self, worker: int) -> Mapping[str, Any]:
        """There is none: no other process can join."""
        raise TransportError("inline transport: workers in other processes cannot join; use transport 'zeromq'")

    def connect(self, address: Mapping[str, Any]) -> Channel:
        """There is no other end."""
        raise TransportError("inline transport: workers in other processes cannot join; use transport 'zeromq'")

    def renew(self, worker: int) -> None:
        """A worker of this process cannot die alone."""
        raise TransportError("inline transport: its workers live and die with the loader")

    def send(self, worker: int, message: bytes) -> bool:
        """Keep the message for the next :meth:`wait`."""
        if self._handlers is None:
            raise TransportError("inline transport: it is closed")
        self._pending.append((worker, message))
        return True

    def receive(self) -> list[tuple[int, bytes]]:
        """Return the answers that :meth:`wait` computed."""
        answers, self._answers = self._answers, []
        return answers

    def wait(self, fds: Sequence[int], timeout: float | None) -> list[int]:
        """Answer one message, if there is one; otherwise wait for ``fds``."""
        if self._pending and self._handlers is not None:
            worker, message = self._pending[0]  # which stays if Ctrl-C comes before it is answered
            self._answers += [(worker, answer) for answer in self._handlers[worker](message)]
            self._pending.popleft()
            timeout = 0
        return readable(fds, timeout) if fds or not self._answers else []

    def close(self) -> None:
        """Drop what is in flight."""
        self._handlers = None
        self._pending.clear()
        self._answers.clear()
