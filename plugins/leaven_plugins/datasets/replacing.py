"""Putting a new file in place of another: it comes to be beside it, and takes its name once it is whole."""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from leaven_plugins.datasets.locks import lock_named

PART = ".leaven-part"
"""How the names of files end that are not whole; they begin with a dot."""


class Replacement:
    """Context with an empty ``file`` at ``part``, which is gone afterwards unless it has taken the place of ``path``.

    Raises:
        OSError: nothing can be written here, or another process is at work on the same.
    """

    def __init__(self, path: Path) -> None:
        self.part = path.with_name(f".{path.name.removeprefix('.')}{PART}")
        self._path = path
        self._placed = False

    def __enter__(self) -> Replacement:
        self.file = open(os.open(self.part, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666), "wb")
        try:
            if not lock_named(self.file.fileno(), self.part):
                raise BlockingIOError(errno.EAGAIN, "it is being written by another process")
            self.file.truncate()  # what one that was killed has left
        except BaseException:
            self.file.close()
            raise
        return self

    def sync(self) -> None:
        """Return once everything that was written is safely on the disk."""
        self.file.flush()
        os.fsync(self.file.fileno())

    def place(self) -> None:
        """Take the place of ``path``; everything must be on the disk by now, or a power cut leaves an empty file."""
        os.replace(self.part, self._path)
        self._placed = True

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(OSError):  # whatever made it fail is the one to tell
            if not self._placed:
                self.part.unlink(missing_ok=True)
        with suppress(OSError):
            self.file.close()


def is_unchanged(path: Path, former: os.stat_result) -> bool:
    """Return whether ``path`` is still the file that ``former`` is about, as far as its size and time tell."""
    try:
        now = path.stat()
    except FileNotFoundError:
        return False
    return (now.st_ino, now.st_size, now.st_mtime_ns) == (former.st_ino, former.st_size, former.st_mtime_ns)
