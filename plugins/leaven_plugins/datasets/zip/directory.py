"""The directory of a zip file, checked: what lies where in it, and that it is what may be read."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from typing import NamedTuple
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from leaven.errors import FormatError, printable
from leaven_plugins.datasets.archives import leads_out
from leaven_plugins.datasets.cursor import Cursor
from leaven_plugins.datasets.open_file import OpenFile

LARGEST = 1 << 30
"""Bytes that one member may have."""

MOST_TIMES, FREE = 200, 1 << 24
"""How many times as long as in the archive a member may become, and up to how many bytes that does not matter."""

_ENCRYPTED = 1
_METHODS = (ZIP_STORED, ZIP_DEFLATED)


class Member(NamedTuple):
    """A file in the archive: where its local head is, how long it is there and unpacked, and its CRC-32."""

    head: int
    packed: int
    size: int
    crc: int
    deflated: bool


def read_directory(file: OpenFile) -> dict[str, Member]:
    """Return the files of an archive by name, in its order.

    Raises:
        FormatError: it is no zip file, or cut off; or one of its files is encrypted, a link, packed by a method that is
            not known, too large or there twice, or has a name that leads out of the archive.
    """
    try:
        with ZipFile(Cursor(file)) as archive:
            infos = archive.infolist()
    except FormatError:
        raise
    except Exception as error:  # of damaged files, zipfile has many
        reason = str(error) if isinstance(error, BadZipFile) else f"{type(error).__name__}: {error}"
        raise FormatError(f"{file.path}: not a zip file that can be read: {printable(reason)}") from error
    members: dict[str, Member] = {}
    for name, member in _members(infos, file):
        if name in members:
            raise FormatError(f"{file.path}: two members are called {printable(name)!r}")
        members[name] = member
    return members


def _members(infos: list[ZipInfo], file: OpenFile) -> Iterator[tuple[str, Member]]:
    for info in infos:
        problem = _problem(info, file.size)
        if problem:
            raise FormatError(f"{file.path}: member {printable(info.filename)!r} {problem}")
        if not info.filename.endswith("/"):
            deflated = info.compress_type == ZIP_DEFLATED
            yield info.filename, Member(info.header_offset, info.compress_size, info.file_size, info.CRC, deflated)


def _problem(info: ZipInfo, archive: int) -> str:
    """Return why a member may not be read, or ``""``."""
    if leads_out(info.filename):
        return "has a name that leads out of the archive"
    if stat.S_ISLNK(info.external_attr >> 16):
        return "is a symbolic link"
    if info.flag_bits & _ENCRYPTED:
        return "is encrypted"
    if info.compress_type not in _METHODS:
        return f"is packed by method {info.compress_type}: only stored and deflated ones can be read"
    if info.header_offset < 0 or info.header_offset + info.compress_size > archive:
        return f"would be bytes {info.header_offset} to {info.header_offset + info.compress_size} of {archive}"
    if info.compress_type == ZIP_STORED and info.compress_size != info.file_size:
        return f"is stored as it is, but has {info.compress_size} bytes instead of {info.file_size}"
    if info.file_size > LARGEST:
        return f"would have {info.file_size} bytes, {LARGEST} are allowed"
    if info.file_size > max(FREE, MOST_TIMES * info.compress_size):
        return f"would have {info.file_size} bytes unpacked from {info.compress_size}"
    return ""
