"""How many bytes the files of a folder take, counted by all processes together."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from struct import Struct

_COUNT = Struct("<q")
_NAME = "usage"


class Usage:
    """A count in a file of ``folder``, which is locked while it changes.

    Args:
        folder: where the file is.
        sizes: gives the sizes of what there is, where there is no count yet.
    """

    def __init__(self, folder: Path, sizes: Callable[[], Iterable[int]]) -> None:
        self._path = folder / _NAME
        self._sizes = sizes

    def add(self, size: int, limit: int | None = None) -> bool:
        """Add to the count, unless it would go beyond a limit; return whether that was done.

        Raises:
            OSError: the file cannot be read or written.
        """
        fd = self._locked()
        try:
            count = self._count(fd) + size
            if limit is not None and count > limit:
                return False
            os.pwrite(fd, _COUNT.pack(max(0, count)), 0)
            return True
        finally:
            os.close(fd)

    def reset(self) -> None:
        """Count anew at the next time.

        Raises:
            OSError: the file cannot be written.
        """
        fd = self._locked()
        try:
            os.truncate(fd, 0)
        finally:
            os.close(fd)

    def _locked(self) -> int:
        fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX)
        except BaseException:
            os.close(fd)
            raise
        return fd

    def _count(self, fd: int) -> int:
        data = os.pread(fd, _COUNT.size, 0)
        count: int = _COUNT.unpack(data)[0] if len(data) == _COUNT.size else sum(self._sizes())
        return count
