"""DiskCache: bytes in files of a local disk."""

from __future__ import annotations

import logging
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path
from struct import Struct
from zlib import crc32

from leaven.errors import DatasetError, ParameterError
from leaven.places import cache_dir
from leaven_plugins.caches.budgets import bytes_of
from leaven_plugins.caches.disk.usage import Usage

log = logging.getLogger("leaven.caches")

_HEAD = Struct("<4sIQ")  # what it is, checksum, length
_MAGIC = b"lvC1"
_END = ".sample"
_PARTS = "parts"  # the folder of files that are not whole
_STALE = 3600.0  # seconds after which nobody is writing one any more


class DiskCache:
    """Keeps bytes in files of a folder, one for each entry, also from one run to the next.

    A file takes its name once it is whole, and has a checksum: one that was cut off by a crash, or has a flipped bit,
    is removed and counts as missing. Processes and threads may use the same folder at the same time. It belongs on a
    disk of this machine: to keep copies of a network drive's files on that drive gains nothing.

    Args:
        folder: where to; by default ``samples`` in the folder that :func:`leaven.places.cache_dir` says.
        budget: how much all files of the folder may take, in bytes or as text such as ``"200GiB"``; ``None`` for
            whatever the disk has. What is kept stays: what no longer fits is not kept.

    Raises:
        ParameterError: the budget is not a size, or the folder is not a path.
        DatasetError: at the first access: there can be no such folder.
    """

    def __init__(self, folder: str | Path | None = None, budget: int | str | None = None) -> None:
        if folder is not None and (not isinstance(folder, (str, os.PathLike)) or not os.fspath(folder)):
            raise ParameterError(f"cache:disk: folder={folder!r}: expected a path")
        self.folder = None if folder is None else Path(folder)
        self.budget = budget
        self._limit = None if budget is None else bytes_of(budget, "cache:disk")
        self._place: Path | None = None
        self._has_warned = False

    def get(self, key: str) -> bytes | None:
        """Return what is kept under ``key``, or ``None``."""
        path = self._path(key)
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            self._warn(path, error)
            return None
        value = _value(data, key)
        if value is None:
            self._remove(path, len(data))
        return value

    def put(self, key: str, value: bytes) -> bool:
        """Keep ``value``, unless there is no room for it; return whether something is kept under ``key``."""
        path = self._path(key)
        if path.exists():
            return True
        size = _HEAD.size + len(value)
        try:
            if not self._usage.add(size, self._limit):
                return False
            is_placed = False
            try:
                is_placed = self._write(path, _HEAD.pack(_MAGIC, _checksum(value, key), len(value)) + value)
            finally:
                if not is_placed:
                    self._usage.add(-size)
        except OSError as error:
            self._warn(path, error)
            return False
        return True

    def clear(self) -> None:
        """Remove all entries, also those of other processes, and no other files.

        Raises:
            DatasetError: one of them cannot be removed.
        """
        try:
            for path in self._entries():
                path.unlink(missing_ok=True)
            self._usage.reset()
        except OSError as error:
            where = error.filename or self._root()
            raise DatasetError(f"cache:disk: {where}: cannot be removed: {error.strerror or error}") from error

    def close(self) -> None:
        """Give back what is open; files stay."""
        self._place = None
        self._has_warned = False

    @property
    def _usage(self) -> Usage:
        return Usage(self._root(), self._sizes)

    def _root(self) -> Path:
        if self._place is None:
            place = self.folder if self.folder is not None else cache_dir() / "samples"
            try:
                place.mkdir(mode=0o700, parents=True, exist_ok=True)
                _sweep(place / _PARTS)
            except (OSError, ValueError) as error:  # a path with a zero byte is no value
                problem = getattr(error, "strerror", None) or error
                raise DatasetError(f"cache:disk: {place}: cannot be a folder: {problem}") from error
            self._place = place
        return self._place

    def _path(self, key: str) -> Path:
        name = blake2b(_encoded(key), digest_size=20).hexdigest()
        return self._root() / name[:2] / f"{name[2:]}{_END}"

    def _entries(self) -> Iterator[Path]:
        return self._root().glob(f"[0-9a-f][0-9a-f]/*{_END}")

    def _write(self, path: Path, content: bytes) -> bool:
        """Write a file that takes its name in the end; return false where another one was faster.

        It need not be on the disk by then: it has a checksum.
        """
        fd, part = tempfile.mkstemp(dir=self._root() / _PARTS)
        try:
            with open(fd, "wb") as file:
                file.write(content)
            path.parent.mkdir(mode=0o700, exist_ok=True)
            return _placed(part, path)
        finally:
            with suppress(FileNotFoundError):
                os.unlink(part)

    def _sizes(self) -> Iterator[int]:
        for path in self._entries():
            with suppress(FileNotFoundError):
                yield path.stat().st_size

    def _remove(self, path: Path, size: int) -> None:
        """Remove a file that is damaged."""
        with suppress(OSError):
            path.unlink()
            self._usage.add(-size)
        log.warning("cache:disk: %s was damaged, and is removed", path)

    def _warn(self, path: Path, error: OSError) -> None:
        if not self._has_warned:
            self._has_warned = True
            log.warning("cache:disk: %s: %s; samples are read from where they are", path, error.strerror or error)


def _placed(part: str, path: Path) -> bool:
    """Give a file its name, unless it is taken."""
    try:
        os.link(part, path)
    except FileExistsError:
        return False
    except OSError:  # a file system where files have one name each
        os.replace(part, path)
    return True


def _sweep(folder: Path) -> None:
    """Remove what processes that were killed have left."""
    folder.mkdir(mode=0o700, exist_ok=True)
    for path in folder.iterdir():
        with suppress(OSError):  # another process does the same
            if path.stat().st_mtime < time.time() - _STALE:
                path.unlink()


def _value(data: bytes, key: str) -> bytes | None:
    if len(data) < _HEAD.size:
        return None
    magic, checksum, length = _HEAD.unpack_from(data)
    value = data[_HEAD.size :]
    return value if (magic, length, checksum) == (_MAGIC, len(value), _checksum(value, key)) else None


def _checksum(value: bytes, key: str) -> int:
    return crc32(value, crc32(_encoded(key)))


def _encoded(key: str) -> bytes:
    return key.encode("utf-8", "surrogatepass")
