"""A journal: records that are written one after another, and that a killed process leaves to the next one."""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import msgpack

from leaven.errors import DatasetError
from leaven_plugins.datasets.locks import lock_named

_HEAD = struct.Struct("<QI")  # length and CRC-32 of what follows


class Journal:
    """The records for one piece of work, in a file that is locked while it is open.

    A record that is incomplete or damaged, and whatever comes after it, is dropped when the file is opened.

    Args:
        path: the file, made where there is none.
        about: says what the work is; records for other work are dropped. ``None`` takes those that there are.

    Attributes:
        about: what the work is.
        count: how many records there are.

    Raises:
        DatasetError: the file cannot be opened, or another process has it open.
    """

    def __init__(self, path: Path, about: Mapping[str, Any] | None) -> None:
        self._path = path
        with _named(path):
            # Appending: a write lands behind the last record, wherever reading has come to.
            self._file = open(path, "a+b")  # noqa: SIM115 - closed by close()
        try:
            if not lock_named(self._file.fileno(), path):  # or the one that had it has just finished, and removed it
                raise DatasetError(f"{path}: another process is at work on this; wait until it is done")
            with _named(path):
                self.about = self._resume(about)
        except BaseException:
            with suppress(OSError):  # a full disk, which has been said by now
                self._file.close()
            raise

    def append(self, record: Any) -> None:
        """Add a record of plain data and bytes."""
        with _named(self._path):
            self._append(record)
        self.count += 1

    def records(self) -> Iterator[Any]:
        """Yield all records; do not append while doing so."""
        with _named(self._path):
            self._file.flush()
            self._file.seek(self._start)
            for _ in range(self.count):
                yield self._read()

    def sync(self) -> None:
        """Return once everything is safely on the disk."""
        with _named(self._path):
            self._file.flush()
            os.fsync(self._file.fileno())

    def close(self) -> None:
        """Close the file; what is in it stays."""
        with _named(self._path):
            self._file.close()

    def remove(self) -> None:
        """Delete the file, which is still open, and locked."""
        with _named(self._path):
            self._path.unlink(missing_ok=True)

    def _resume(self, about: Mapping[str, Any] | None) -> dict[str, Any]:
        self.count = 0
        self._file.seek(0)
        found = self._read()
        if not isinstance(found, dict) or (about is not None and found != about):
            found = dict(about or {})
            self._file.truncate(0)
            self._file.seek(0)
            self._append(found)
            self._file.flush()
            self._start = self._file.tell()
            return found
        self._start = end = self._file.tell()
        while self._next() is not None:
            self.count += 1
            end = self._file.tell()
        self._file.truncate(end)
        return found

    def _append(self, record: Any) -> None:
        packed = msgpack.packb(record)
        self._file.write(_HEAD.pack(len(packed), zlib.crc32(packed)) + packed)

    def _read(self) -> Any:
        packed = self._next()
        return None if packed is None else msgpack.unpackb(packed)

    def _next(self) -> bytes | None:
        """Return the content of the record that begins here, or ``None`` where none is whole."""
        head = self._file.read(_HEAD.size)
        if len(head) < _HEAD.size:
            return None
        length, crc = _HEAD.unpack(head)
        if length > os.fstat(self._file.fileno()).st_size:
            return None
        packed = self._file.read(length)
        return packed if len(packed) == length and zlib.crc32(packed) == crc else None


@contextmanager
def _named(path: Path) -> Iterator[None]:
    """Context in which errors of the disk become those of a dataset, and name the file."""
    try:
        yield
    except OSError as error:
        raise DatasetError(f"{path}: cannot be read or written: {error.strerror}") from error
