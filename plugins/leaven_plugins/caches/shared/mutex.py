"""A lock between processes and threads, which the kernel gives back when its holder dies."""

from __future__ import annotations

import fcntl
import os
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager

_RENEWING = threading.Lock()


class Mutex:
    """Excludes all others that have a mutex of the same file, in this process and in others.

    Args:
        fd: of the file; it stays open for as long as the mutex is used.
    """

    def __init__(self, fd: int) -> None:
        self._of = fd
        self._open()

    @contextmanager
    def held(self) -> Iterator[None]:
        """Context in which nobody else has it."""
        if self._pid != os.getpid():
            self._renew()
        with self._threads:  # the kernel's lock is that of an open file, not of a thread
            fcntl.flock(self._fd, fcntl.LOCK_EX)
            try:
                yield
            finally:
                fcntl.flock(self._fd, fcntl.LOCK_UN)

    def _renew(self) -> None:
        """Go on in a forked process, which shares its parent's lock until it has one of its own."""
        with _RENEWING:
            if self._pid != os.getpid():
                self._open()

    def _open(self) -> None:
        self._threads = threading.Lock()
        self._fd = os.open(f"/proc/self/fd/{self._of}", os.O_RDWR | os.O_CLOEXEC)
        weakref.finalize(self, os.close, self._fd).atexit = False
        self._pid = os.getpid()
