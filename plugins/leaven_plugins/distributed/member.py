"""One process of a job: its program, what it writes, and how it ended."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

from leaven.errors import printable
from leaven_plugins.distributed.failures import PeerLost

_GUARD = str(Path(__file__).with_name("guard.py"))
_LINES = 30  # of the end of what it wrote, for errors: a traceback
_LONGEST = 64 << 10  # bytes of a line that are passed on at once
_DRAIN = 1.0  # seconds for the rest of its output, which something that it started may hold open


class Member:
    """A process of a job. It has a process group of its own: Ctrl-C is the parent's business.

    Rank 0 has the parent's standard output, and its standard error: through a pipe, so that errors can have its end,
    but for a terminal. What the others write goes to standard error, with ``[rank 1]`` before each line.

    Args:
        rank: its rank.
        argv: the program and its arguments.
        environment: its environment.
        inherit: descriptors that it gets, with the same numbers.
    """

    def __init__(self, rank: int, argv: Sequence[str], environment: Mapping[str, str], inherit: Sequence[int]) -> None:
        self.rank = rank
        self._lines: deque[str] = deque(maxlen=_LINES)
        apart = rank > 0
        self._popen = subprocess.Popen(
            [sys.executable, "-I", "-S", _GUARD, str(os.getpid()), *argv],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if apart else None,
            stderr=subprocess.STDOUT if apart else None if os.isatty(2) else subprocess.PIPE,
            env=environment,
            pass_fds=inherit,
            process_group=0,
        )
        self.fd = os.pidfd_open(self._popen.pid)
        self._reader = self._forward(self._popen.stdout or self._popen.stderr, f"[rank {rank}] " if apart else "")

    @property
    def code(self) -> int | None:
        """How it ended: an exit status, minus the number of a signal, or ``None`` while it runs."""
        ended = os.waitid(os.P_PIDFD, self.fd, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        if ended is None:
            return None
        return ended.si_status if ended.si_code == os.CLD_EXITED else -ended.si_status

    @property
    def is_victim(self) -> bool:
        """Whether it ended because another rank had gone."""
        return self.code == PeerLost.exit_code

    def status(self) -> str:
        """Return how it ended, for people."""
        code = self.code or 0
        if code >= 0:
            return f"ended with exit status {code}"
        return f"was killed by signal {-code} ({signal.Signals(-code).name})"

    def last_words(self) -> str:
        """Return the end of what it wrote, escaped line by line; nothing where it wrote to a terminal."""
        if self._reader is not None:
            self._reader.join(_DRAIN)
        return "\n".join(printable(line, 300) for line in list(self._lines))

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal, if it runs."""
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self.fd, number)  # Popen might reap it, and nobody would learn how it ended

    def close(self) -> None:
        """Kill it and what is left of its process group, and give back everything."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._popen.pid, signal.SIGKILL)  # its number is nobody else's before it is waited for
        self._popen.wait()
        if self._reader is not None:
            self._reader.join(_DRAIN)
        for pipe in (self._popen.stdout, self._popen.stderr):
            if pipe is not None:
                pipe.close()
        os.close(self.fd)

    def _forward(self, pipe: IO[bytes] | None, prefix: str) -> threading.Thread | None:
        if pipe is None:
            return None
        thread = threading.Thread(target=self._read, args=(pipe, prefix), name=f"leaven-rank-{self.rank}", daemon=True)
        thread.start()
        return thread

    def _read(self, pipe: IO[bytes], prefix: str) -> None:
        with contextlib.suppress(ValueError, OSError):  # closed
            for line in iter(lambda: pipe.readline(_LONGEST), b""):
                text = line.decode("utf-8", "replace")
                self._lines.append(text.rstrip("\n"))
                _tell(prefix + text)


def _tell(text: str) -> None:
    """Write to standard error; where nobody reads it any more, go on: a pipe that is not emptied stops its writer."""
    with contextlib.suppress(ValueError, OSError):
        sys.stderr.write(text)
        sys.stderr.flush()
