"""What a program leaves behind: processes known by a variable of their environment, files known by their folder."""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
import time
from pathlib import Path

VARIABLE = "LEAVEN_RELIABILITY"
SHARED_MEMORY = Path("/dev/shm")


class Watched:
    """A program and all that it starts, with temporary folders of their own."""

    def __init__(self) -> None:
        self._token = secrets.token_hex(8)
        self.folder = Path(tempfile.mkdtemp(prefix="lr-", dir="/tmp"))  # short: paths of sockets are limited
        self._before = set(_names(SHARED_MEMORY))

    @property
    def environment(self) -> dict[str, str]:
        """What the program is to be started with."""
        return {**os.environ, VARIABLE: self._token, "TMPDIR": str(self.folder), "XDG_RUNTIME_DIR": str(self.folder)}

    def processes(self) -> list[int]:
        """Return those that are alive."""
        mark = f"{VARIABLE}={self._token}".encode()
        return [int(pid) for pid in filter(str.isdecimal, os.listdir("/proc")) if mark in _environment(pid)]

    def left(self) -> list[str]:
        """Return what there is: processes, shared memory with a name, files in the folder."""
        shared = (name for name in set(_names(SHARED_MEMORY)) - self._before if name.startswith(("leaven", "psm_")))
        return [
            *(f"process {pid}" for pid in self.processes()),
            *(f"shared memory {name}" for name in shared),
            *(f"file {name}" for name in _names(self.folder)),
        ]

    def left_at(self, deadline: float) -> list[str]:
        """Return at once when nothing is left, and at ``deadline`` (of the monotonic clock) what is."""
        while (left := self.left()) and time.monotonic() < deadline:
            time.sleep(0.005)
        return left

    def __enter__(self) -> Watched:
        return self

    def __exit__(self, *exc: object) -> None:
        for pid in self.processes():
            os.kill(pid, 9)
        shutil.rmtree(self.folder, ignore_errors=True)


def _environment(pid: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:  # it has ended, or is another user's
        return b""


def _names(folder: Path) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []
