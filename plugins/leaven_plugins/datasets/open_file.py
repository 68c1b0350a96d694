"""Reading any part of a file that is open, without ever going beyond what it had when it was opened."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from leaven.errors import DatasetError, FormatError, suggestion

_MOST_PER_READ = 1 << 30  # Linux reads at most 2 GiB at once


class OpenFile:
    """A file that is open for reading, of the ``size`` and ``status`` that it had when it was opened.

    It is read by ``pread`` and never mapped: a mapped file that is cut off while in use kills the process (SIGBUS), a
    read is merely short. Measured for samples of 1 kB at random: 1.7 us with the two reads, 0.6 us mapped.

    Raises:
        DatasetError: it does not exist, cannot be opened, or is not a file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._fd = -1
        try:
            self._fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)  # non-blocking: it may be a fifo
            status = os.fstat(self._fd)
        except FileNotFoundError:
            raise DatasetError(missing(path)) from None
        except OSError as error:
            raise DatasetError(f"{path}: cannot be opened: {error.strerror}") from error
        if not stat.S_ISREG(status.st_mode):
            self.close()
            raise DatasetError(f"{path}: is not a file")
        self.status = status
        self.size = status.st_size

    def read(self, nbytes: int, offset: int) -> bytes:
        """Return ``nbytes`` bytes from ``offset`` on.

        Raises:
            FormatError: the file ends before, or did so when it was opened.
            DatasetError: it cannot be read.
        """
        if offset + nbytes > self.size:
            raise FormatError(f"{self.path}: {nbytes} bytes at {offset} asked for, but it ends at {self.size}")
        data = self._read_once(nbytes, offset)
        if len(data) == nbytes:
            return data
        parts = [data]
        while nbytes > (done := sum(map(len, parts))):
            parts.append(self._read_once(nbytes - done, offset + done))
            if not parts[-1]:
                raise FormatError(f"{self.path}: ends at {offset + done} by now, where it had {self.size} bytes")
        return b"".join(parts)

    def close(self) -> None:
        """Close it; closing it again does nothing."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)

    def _read_once(self, nbytes: int, offset: int) -> bytes:
        try:
            return os.pread(self._fd, min(nbytes, _MOST_PER_READ), offset)
        except OSError as error:
            raise DatasetError(f"{self.path}: cannot be read at {offset}: {error.strerror}") from error

    def __del__(self) -> None:
        self.close()


def missing(path: Path) -> str:
    """Return the text for a file that does not exist, with the name that is most like it."""
    try:
        names = [entry.name for entry in path.parent.iterdir()]
    except OSError:
        return f"{path}: no such file, and no folder {path.parent}"
    return f"{path}: no such file{suggestion(path.name, names)}"
