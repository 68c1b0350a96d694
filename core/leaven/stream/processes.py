"""Child processes: started with inherited descriptors, watched by pidfd, gone when the parent is.

They are started by ``subprocess``, not forked: a fork copies locks that other threads hold, and a child that imports
the user's main module again runs it again. SIGINT is the parent's business alone, so callers start children from a
thread in which it is blocked (a child inherits the mask).
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from leaven.errors import printable

_TAIL = 4_000
_CORE = str(Path(__file__).resolve().parents[2])

# One thread for each library in each worker: with as many pools as workers they only get into each other's way.
_SINGLE_THREADED = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")


class Child:
    """One child process that runs ``python -m leaven._worker``.

    Args:
        start: the start message, which the child reads from an inherited file.
        inherit: further descriptors that it needs; they keep their numbers.
    """

    def __init__(self, start: bytes, inherit: Sequence[int]) -> None:
        self._stderr = _scratch()
        message = _scratch()
        alive, self._lifeline = os.pipe()
        try:
            _write_all(message, start)
            self._popen = subprocess.Popen(
                [sys.executable, "-P", "-m", "leaven._worker", str(message), str(alive), str(os.getpid())],
                stdin=subprocess.DEVNULL,
                stdout=2,  # what a worker prints must not get into the parent's output
                stderr=self._stderr,
                pass_fds=(message, alive, *inherit),
                env=_environment(),
            )
        except BaseException:
            os.close(self._lifeline)
            os.close(self._stderr)
            raise
        finally:
            os.close(message)
            os.close(alive)
        self.pid = self._popen.pid
        self.fd = _sentinel(self.pid)

    def ended(self) -> bool:
        """Return whether it has ended."""
        return self._popen.poll() is not None

    def status(self) -> str:
        """Return how it ended, for people."""
        code = self._popen.poll()
        if code is None:
            return "is running"
        if code >= 0:
            return f"ended with exit status {code}"
        try:
            return f"was killed by signal {-code} ({signal.Signals(-code).name})"
        except ValueError:
            return f"was killed by signal {-code}"

    def last_words(self) -> str:
        """Return the end of what it wrote to standard error, escaped line by line."""
        size = os.fstat(self._stderr).st_size
        text = os.pread(self._stderr, _TAIL, max(0, size - _TAIL)).decode("utf-8", "replace")
        return "\n".join(printable(line, 300) for line in text.splitlines()).strip()

    def kill(self) -> None:
        """End it at once."""
        self.signal(signal.SIGKILL)

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal; SIGUSR1 has it write the stacks of its threads."""
        with contextlib.suppress(ProcessLookupError):
            self._popen.send_signal(number)

    def close(self) -> None:
        """Kill it if it still runs, and give back everything."""
        if not self.ended():
            self.kill()
        self._popen.wait()
        for fd in (self.fd, self._stderr, self._lifeline):
            with contextlib.suppress(OSError):
                os.close(fd)


def _environment() -> dict[str, str]:
    environment = dict(os.environ, LEAVEN_WORKER="1")
    for name in _SINGLE_THREADED:
        environment.setdefault(name, "1")
    # the start message carries the parent's sys.path; until it is read, only leaven itself has to be found
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, (_CORE, os.environ.get("PYTHONPATH"))))
    return environment


def _sentinel(pid: int) -> int:
    """Return a descriptor that becomes readable when the process ends."""
    return os.pidfd_open(pid)


def _scratch() -> int:
    """Return a file without a name, at its start."""
    return os.memfd_create("leaven", os.MFD_CLOEXEC)


def _write_all(fd: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]
    os.lseek(fd, 0, os.SEEK_SET)
