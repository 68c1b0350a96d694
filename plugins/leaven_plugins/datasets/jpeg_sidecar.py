"""The file format of sidecars: a map that says what one is about, columns of integers, and indices of JPEGs.

Magic, size of the file, length of the map and its CRC-32 come first, then the map (msgpack), then the columns of 64-bit
integers, all little-endian. The last column has where each index begins, and where the last one ends; an entry without
an index has an empty one.
"""

from __future__ import annotations

import logging
import os
import struct
import sys
import zlib
from array import array
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

import msgpack

from leaven.errors import DatasetError, FormatError
from leaven_plugins.datasets.replacing import Replacement

_MAGIC = b"leavenJI"
_VERSION = 1
_HEAD = struct.Struct("<8sQII")
_MOST_ABOUT = 1 << 16
_PAIR = struct.Struct("<QQ")

Result = TypeVar("Result")

log = logging.getLogger("leaven.datasets")
_told: set[Path] = set()


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
            self._fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)  # it may be a fifo
            self._size = os.fstat(self._fd).st_size
        except OSError as error:
            raise DatasetError(f"{path}: cannot be opened: {error.strerror}{again(source)}") from error
        self.about, self.count, self._start = self._read_about()
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

    def _read_about(self) -> tuple[dict[str, Any], int, int]:
        """Return the map, the number of entries, and where the columns begin."""
        magic, size, length, crc = _HEAD.unpack(self._bytes(0, _HEAD.size))
        if magic != _MAGIC or length > _MOST_ABOUT:
            raise self._damaged("does not begin as one")
        if size != self._size:
            raise self._damaged(f"{self._size} bytes instead of {size}")
        packed = self._bytes(_HEAD.size, length)
        if zlib.crc32(packed) != crc:
            raise self._damaged("its head was changed")
        try:
            about = msgpack.unpackb(packed)
            version, count = int(about["version"]), int(about["count"])
        except Exception as error:
            raise self._damaged("its head is not one") from error
        if version != _VERSION:
            raise self._damaged(f"of version {version}, where {_VERSION} is known")
        return about, count, _HEAD.size + length

    def _bytes(self, offset: int, nbytes: int) -> bytes:
        """Read by ``pread``: where a mapped file is cut off, reading it kills the process."""
        try:
            data = os.pread(self._fd, nbytes, offset)
        except OSError as error:
            raise DatasetError(f"{self.path}: cannot be read: {error.strerror}{again(self._source)}") from error
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
    path = path.resolve() if path.is_symlink() else path  # the link stays
    try:
        with Replacement(path) as new:
            _fill(new.file, about, count, columns, indices)
            new.sync()
            new.place()
    except OSError as error:
        raise DatasetError(f"{path}: cannot be written: {error.strerror}") from error
    return path


def if_usable(path: Path, read: Callable[[], Result]) -> Result | None:
    """Return what is read of the sidecar at ``path``, or ``None`` where it is of no use.

    It makes decoding quicker and nothing else, so that this is no error; it is logged, once for each file in a process.
    """
    try:
        return read()
    except DatasetError as error:
        if path not in _told:
            _told.add(path)
            log.warning("images are decoded without their index: %s", str(error))  # its traceback holds on to files
        return None


def again(source: Path) -> str:
    """Return what to do where a sidecar is of no use."""
    return f": run `leaven data index {source}` again, or remove it"


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
