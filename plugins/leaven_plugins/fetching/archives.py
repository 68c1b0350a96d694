"""Archives: single members are read, nothing is ever extracted, so no name in one can lead out of a folder."""

from __future__ import annotations

import io
import zlib
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, NamedTuple

from leaven.errors import DatasetError, FormatError, listing, printable


class Member(NamedTuple):
    """A file in an archive: its name, its size in bytes, and its content, to be read before the next one is taken."""

    name: str
    size: int
    content: IO[bytes]

    def read(self, nbytes: int, path: Path) -> bytes:
        """Return the next ``nbytes`` bytes; a :class:`~leaven.errors.FormatError` where there are fewer."""
        with _named(path):
            data = self.content.read(nbytes)
        if len(data) != nbytes:
            raise FormatError(f"{path}: {self.name} is cut off: {len(data)} of {nbytes} bytes")
        return data


def tar_members(path: Path, names: Collection[str], most: int) -> Iterator[Member]:
    """Yield those members of a tar.gz file that have these names, in the order of the archive.

    Links, devices and folders are never what is meant, nor is a second member of the same name.

    Args:
        path: the archive.
        names: full names, as ``folder/file``.
        most: how many bytes the unpacked archive has at most: unpacking ends there.

    Raises:
        FormatError: it is no such archive, it is cut off or larger, or a member is missing.
        DatasetError: it cannot be read.
    """
    import tarfile

    missing = set(names)
    with _named(path), _unpacked(path, most) as unpacked, tarfile.open(fileobj=unpacked, mode="r|") as archive:
        for info in archive:
            if info.name in missing and info.isreg() and info.sparse is None:
                missing.discard(info.name)
                content = archive.extractfile(info)
                assert content is not None  # it is a regular file
                yield Member(info.name, info.size, content)
            if not missing:
                return
    raise FormatError(f"{path}: has no {listing(missing)}")


def gzip_content(path: Path, most: int) -> bytes:
    """Return what is in a gzip file.

    Raises:
        FormatError: it is no such file, is cut off, or has more than ``most`` bytes in it.
        DatasetError: it cannot be read.
    """
    with _named(path), _unpacked(path, most) as unpacked:
        return unpacked.read()


class _Limited(io.RawIOBase):
    """What is in a gzip file, up to a limit."""

    def __init__(self, unpacked: IO[bytes], path: Path, most: int) -> None:
        self._unpacked = unpacked
        self._path = path
        self._most = most
        self._done = 0

    def readable(self) -> bool:
        return True

    def read(self, size: int | None = -1, /) -> bytes:
        left = self._most - self._done
        wanted = left + 1 if size is None or size < 0 else min(size, left + 1)
        data = self._unpacked.read(wanted)
        self._done += len(data)
        if self._done > self._most:
            raise FormatError(f"{self._path}: has more than {self._most:,} bytes in it")
        return data


@contextmanager
def _unpacked(path: Path, most: int) -> Iterator[_Limited]:
    import gzip

    with gzip.open(path, "rb") as file, _Limited(file, path, most) as limited:  # type: ignore[arg-type]
        yield limited


@contextmanager
def _named(path: Path) -> Iterator[None]:
    """Context in which what is wrong with an archive becomes an error that names it."""
    try:
        yield
    except DatasetError:
        raise
    except _broken() as error:
        raise FormatError(f"{path}: is no archive that can be read: {printable(str(error))}") from error
    except OSError as error:
        raise DatasetError(f"{path}: cannot be read: {error.strerror or error}") from error


def _broken() -> tuple[type[Exception], ...]:
    from gzip import BadGzipFile
    from tarfile import TarError

    # a member with headers before its header, and so on, is read by a function that calls itself
    return TarError, BadGzipFile, EOFError, zlib.error, ValueError, RecursionError
