"""An open file as the zipfile module reads it, which asks for a position and for how much."""

from __future__ import annotations

import errno
import io

from leaven_plugins.datasets.open_file import OpenFile


class Cursor(io.RawIOBase):
    """A seekable view of a file; closing it does not close the file. No read is longer than the file."""

    def __init__(self, file: OpenFile) -> None:
        super().__init__()
        self._file = file
        self._position = 0

    def seekable(self) -> bool:  # noqa: D102
        return True

    def readable(self) -> bool:  # noqa: D102
        return True

    def tell(self) -> int:  # noqa: D102
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:  # noqa: D102
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._file.size}[whence]
        if start + offset < 0:
            raise OSError(errno.EINVAL, "a position before the start")  # what zipfile takes for too short a file
        self._position = start + offset
        return self._position

    def read(self, size: int = -1) -> bytes:  # noqa: D102
        left = max(0, self._file.size - self._position)
        data = self._file.read(left if size < 0 else min(size, left), min(self._position, self._file.size))
        self._position += len(data)
        return data
