"""The file format of sidecars: a map that says what one is about, columns of integers, and indices of JPEGs.

Magic, size of the file, length of the map and its CRC-32 come first, then the map (msgpack), then the columns of 64-bit
integers, all little-endian. The last column has where each index begins, and where the last one ends; an entry without
an index has an empty one.
"""

from __future__ import annotations

import fcntl
import os
import struct
import sys
import zlib
from array import array
from collections.abc import Iterable
from pathlib import Path
from typing import Any, BinaryIO

import msgpack

from leaven.errors import DatasetError, FormatError

_MAGIC = b"leavenJI"
_VERSION = 1
_HEAD = struct.Struct("<8sQII")
_MOST_ABOUT = 1 << 16
_PAIR = struct.Struct("<QQ")


class Sidecar:
    """A sidecar that is open for reading: what it is ``about``, and how many entries it has (``count``).

    Args:
        path: the file.
        source: what it is about, for texts of errors.
        before: how many bytes for each entry precede the column of offsets.

    Raises:
        DatasetError: it cannot be opened or read.
        FormatError: it is damaged, or no sidecar.
    """

    def __init__(self, path: Path, source: Path, before: int = 0) -> None:
        self.path = path
        self._source = source
        self._fd = -1
        try:
            self._fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            self._size = os.fstat(self._fd).st_size
        except OSError as error:
            raise DatasetError(f"{path}: cannot be opened: {error.strerror}") from error
        self.about, self._start = self._read_about()
        self.count = int(self.about["count"])
        self._offsets = self._start + before * self.count
        self._first = self._offsets + 8 * (self.count + 1)
        if self.count < 0 or self._first > self._size:
            raise self._damaged(f"{self.count} entries in {self._size} bytes")

    def before(self, offset: int, nbytes: int) -> bytes:
        """Return a part of the columns that precede the offsets."""
        return self._bytes(self._start + offset, nbytes)

    def read(self, position: int) -> bytes | None:
        """Return one index, or ``None`` where it is empty."""
        if not 0 <= position < self.count:
            raise self._damaged(f"no entry {position}, there are {self.count}")
        start, end = _PAIR.unpack(self._bytes(self._offsets + 8 * position, 16))
        if not self._first <= start <= end <= self._size:
            raise self._damaged(f"entry {position} would be bytes {start} to {end} of {self._size}")
        return self._bytes(start, end - start) if end > start else None

    def close(self) -> None:
        """Close the file; closing it again does nothing."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)

    def _read_about(self) -> tuple[dict[str, Any], int]:
        magic, size, length, crc = _HEAD.unpack(self._bytes(0, _HEAD.size))
        if magic != _MAGIC or length > _MOST_ABOUT:
            raise self._damaged("does not begin as one")
        if size != self._size:
            raise self._damaged(f"{self._size} bytes instead of {size}")
        packed = self._bytes(_HEAD.size, length)
        if zlib.crc32(packed) != crc:
            raise self._damaged("its head was changed")
        about = msgpack.unpackb(packed)
        if about["version"] != _VERSION:
            raise self._damaged(f"of version {about['version']}, where {_VERSION} is known")
        return about, _HEAD.size + length

    def _bytes(self, offset: int, nbytes: int) -> bytes:
        """Read by ``pread``: where a mapped file is cut off, reading it kills the process."""
        try:
            data = os.pread(self._fd, nbytes, offset)
        except OSError as error:
            raise DatasetError(f"{self.path}: cannot be read at {offset}: {error.strerror}") from error
        if len(data) != nbytes:
            raise self._damaged(f"ends at {offset + len(data)}, {nbytes - len(data)} bytes too early")
        return data

    def _damaged(self, text: str) -> FormatError:
        return FormatError(f"{self.path}: not an index of JPEGs that can be used: {text}{again(self._source)}")

    def __del__(self) -> None:
        self.close()


def write_sidecar(
    path: Path, about: dict[str, Any], count: int, columns: bytes, indices: Iterable[bytes | None]
) -> Path:
    """Write a sidecar with ``count`` entries, and return its path; until it is complete the former one stays.

    Raises:
        DatasetError: it cannot be written, or another process writes it.
    """
    part = path.with_name(f".{path.name.removeprefix('.')}.part")
    try:
        with open(os.open(part, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666), "wb") as file:
            _lock(file, part, path)
            try:
                file.truncate()
                _fill(file, about, count, columns, indices)
                file.flush()
                os.fsync(file.fileno())
                os.replace(part, path)
            except BaseException:
                part.unlink(missing_ok=True)
                raise
    except OSError as error:
        raise DatasetError(f"{path}: cannot be written: {error.strerror}") from error
    return path


def again(source: Path) -> str:
    """Return what to do where a sidecar is of no use."""
    return f": run `leaven data index {source}` again, or remove it"


def _lock(file: BinaryIO, part: Path, path: Path) -> None:
    try:
        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        taken = isinstance(error, BlockingIOError)  # else there are no locks, as on some network file systems
    else:
        taken = not part.exists() or part.stat().st_ino != os.fstat(file.fileno()).st_ino  # it has its name by now
    if taken:
        raise DatasetError(f"{path}: is being written by another process")


def _fill(file: BinaryIO, about: dict[str, Any], count: int, columns: bytes, indices: Iterable[bytes | None]) -> None:
    """Write everything; the head comes last, as it says how long the file is."""
    packed = msgpack.packb({"version": _VERSION, "count": count, **about})
    start = _HEAD.size + len(packed) + len(columns)
    offsets = array("Q", [start + 8 * (count + 1)])
    file.seek(offsets[0])
    for index in indices:
        file.write(index or b"")
        offsets.append(offsets[-1] + len(index or b""))
    if len(offsets) != count + 1:
        raise ValueError(f"{len(offsets) - 1} indices for {count} entries")
    head = _HEAD.pack(_MAGIC, offsets[-1], len(packed), zlib.crc32(packed))
    if sys.byteorder == "big":
        offsets.byteswap()
    file.seek(0)
    file.write(b"".join((head, packed, columns, offsets.tobytes())))
