"""Reading members of a zip file, by any number of threads at a time."""

from __future__ import annotations

import struct
import zlib

from leaven.errors import FormatError, printable
from leaven_plugins.datasets.open_file import OpenFile
from leaven_plugins.datasets.zip.directory import Member, read_directory

_HEAD = struct.Struct("<4s22xHH")
_MAGIC = b"PK\x03\x04"


class Archive:
    """An open zip file; its directory is read once.

    Raises:
        FormatError: it is damaged, or has members that may not be read.
    """

    def __init__(self, file: OpenFile) -> None:
        self._file = file
        self._members = read_directory(file)
        self.names = list(self._members)

    def read(self, name: str) -> bytes:
        """Return the content of a member.

        Raises:
            FormatError: its head is not where the directory says, or its content is not what the checksum says.
            DatasetError: the file cannot be read.
        """
        member = self._members[name]
        magic, name_size, extra = _HEAD.unpack(self._file.read(_HEAD.size, member.head))
        if magic != _MAGIC:
            raise self._damaged(name, f"is not at byte {member.head}, where it should begin")
        packed = self._file.read(member.packed, member.head + _HEAD.size + name_size + extra)
        data = self._inflated(name, member, packed) if member.deflated else packed
        crc = zlib.crc32(data)
        if crc != member.crc:
            raise self._damaged(name, f"is not what its checksum says: {crc:08x} instead of {member.crc:08x}")
        return data

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _inflated(self, name: str, member: Member, packed: bytes) -> bytes:
        inflater = zlib.decompressobj(-zlib.MAX_WBITS)
        try:
            data = inflater.decompress(packed, member.size + 1)
        except zlib.error as error:
            raise self._damaged(name, f"cannot be unpacked: {error}") from error
        if len(data) != member.size or (member.size and not inflater.eof):
            raise self._damaged(name, f"has other than the {member.size} bytes that it should have")
        return data

    def _damaged(self, name: str, text: str) -> FormatError:
        return FormatError(f"{self._file.path}: member {printable(name)!r} {text}")
