"""Where in each JPEG its segments begin, kept in a sidecar beside images that stay as they are.

In the sidecar of a packed dataset, entries are in the order of the samples, and its map has a fingerprint of the data
file. In that of a folder they are in the order of hashes of the files' paths; these are a further column, and so are
size and time of each file when its index was made.
"""

from __future__ import annotations

import hashlib
import os
import struct
import sys
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgpack

from leaven.errors import DatasetError
from leaven_plugins.datasets.fingerprint import fingerprint
from leaven_plugins.datasets.jpeg_sidecar import Sidecar, again, if_usable, write_sidecar

FIELD = "image_index"
"""The field of a sample that has the index of its ``image``; samples may have something else under that name."""

_MAGIC = b"LTX"
"""What leaven-turbo's indices begin with."""

_PACKED_SUFFIX, _FOLDER_NAME = ".turbo", ".leaven-turbo.index"
_STAMP = struct.Struct("<Qq")


class Stamped(NamedTuple):
    """A file of a folder as it was when its index was made: path below the folder with ``/``, size, time."""

    key: str
    size: int
    mtime_ns: int


def is_index(value: Any) -> bool:
    """Return whether what a sample has under ``FIELD`` is an index, of whatever image."""
    return isinstance(value, bytes) and value.startswith(_MAGIC)


def packed_sidecar(data: Path) -> Path:
    """Return where the sidecar of a packed dataset lies."""
    return data.with_name(data.name + _PACKED_SUFFIX)


def folder_sidecar(root: Path) -> Path:
    """Return where the sidecar of a folder lies."""
    return root / _FOLDER_NAME


class PackedIndex:
    """The sidecar of a packed dataset, open for reading; threads may share it.

    An entry that is damaged counts as none, which is logged once.

    Raises:
        DatasetError: it cannot be read, or was made for other data than the file has now.
        FormatError: it is damaged.
    """

    def __init__(self, data: Path) -> None:
        self._sidecar = Sidecar(packed_sidecar(data), data)
        if self._sidecar.about.get("data") != fingerprint(data):
            self.close()
            raise DatasetError(f"{self._sidecar.path}: was made for other data than {data.name} has now{again(data)}")

    @classmethod
    def beside(cls, data: Path) -> PackedIndex | None:
        """Return the one beside a data file, or ``None`` where there is none, or none of use; that is logged once."""
        path = packed_sidecar(data)
        return if_usable(path, lambda: cls(data)) if path.exists() else None

    def index(self, position: int) -> bytes | None:
        """Return the index of a sample's image, or ``None`` where it has none."""
        return if_usable(self._sidecar.path, lambda: self._sidecar.read(position))

    def close(self) -> None:
        """Close the file."""
        self._sidecar.close()


class FolderIndex:
    """The sidecar of a folder, open for reading; threads may share it.

    An entry that is damaged counts as none, which is logged once.

    Raises:
        DatasetError: it cannot be read.
        FormatError: it is damaged.
    """

    def __init__(self, root: Path) -> None:
        self._sidecar = Sidecar(folder_sidecar(root), root, before=24)
        self._hashes = array("Q", self._sidecar.before(0, 8 * self._sidecar.count))
        if sys.byteorder == "big":
            self._hashes.byteswap()

    @classmethod
    def within(cls, root: Path) -> FolderIndex | None:
        """Return the one in a folder, or ``None`` where there is none, or none of use; that is logged once."""
        path = folder_sidecar(root)
        return if_usable(path, lambda: cls(root)) if path.exists() else None

    def index(self, key: str, status: os.stat_result) -> bytes | None:
        """Return the index of a file, or ``None`` where it has none, or has changed since it was made."""
        wanted = _hash(key)
        position = bisect_left(self._hashes, wanted)
        if position == len(self._hashes) or self._hashes[position] != wanted:
            return None
        return if_usable(self._sidecar.path, lambda: self._read(position, status))

    def close(self) -> None:
        """Close the file."""
        self._sidecar.close()

    def _read(self, position: int, status: os.stat_result) -> bytes | None:
        stamp = _STAMP.unpack(self._sidecar.before(8 * self._sidecar.count + 16 * position, 16))
        return self._sidecar.read(position) if stamp == (status.st_size, status.st_mtime_ns) else None


def sidecar_problem(path: Path) -> str | None:
    """Return why the sidecar of a packed dataset or a folder is of no use, or ``None`` where it is, or is not there."""
    sidecar = folder_sidecar(path) if path.is_dir() else packed_sidecar(path)
    try:
        if sidecar.exists():
            (FolderIndex if path.is_dir() else PackedIndex)(path).close()
    except DatasetError as error:
        return str(error)
    return None


def write_packed_index(data: Path, count: int, indices: Iterable[bytes | None]) -> Path:
    """Write the sidecar of a packed dataset of ``count`` samples, and return where it is.

    Until it is complete there is none under that name, or the former one.

    Raises:
        DatasetError: it cannot be written, or another process writes it.
    """
    return write_sidecar(packed_sidecar(data), {"data": fingerprint(data)}, count, b"", indices)


def write_folder_index(root: Path, files: Sequence[Stamped], indices: Iterable[bytes | None]) -> Path:
    """Write the sidecar of a folder; ``indices`` are those of the ``files`` :func:`in_order`. As for packed ones."""
    stamps = b"".join(_STAMP.pack(file.size, file.mtime_ns) for file in files)
    hashes = b"".join(_hash(file.key).to_bytes(8, "little") for file in files)
    return write_sidecar(folder_sidecar(root), {}, len(files), hashes + stamps, indices)


def in_order(files: Iterable[Stamped]) -> list[Stamped]:
    """Return the files in the order that the sidecar of a folder has them in."""
    return sorted(files, key=lambda file: _hash(file.key))


def with_index(message: bytes, index: bytes) -> bytes:
    """Return a packed sample with one more field; one that has it, or is no packed map, is returned as it is.

    Only the head of the map changes, so that values are neither unpacked nor packed.
    """
    lead = message[0] if message else 0
    if 0x80 <= lead <= 0x8F:
        count, start = lead & 0x0F, 1
    elif lead in (0xDE, 0xDF):
        start = 3 if lead == 0xDE else 5
        count = int.from_bytes(message[1:start], "big")
    else:
        return message
    if _has_field(message):
        return message
    field: bytes = msgpack.packb(FIELD) + msgpack.packb(index)
    return b"".join((msgpack.Packer().pack_map_header(count + 1), memoryview(message)[start:], field))


def _has_field(message: bytes) -> bool:
    """Return whether a packed map has the field already; looking for its name among the values takes 9 times longer."""
    reader = msgpack.Unpacker(max_buffer_size=len(message))
    reader.feed(message)
    try:
        for _ in range(reader.read_map_header()):
            if reader.unpack() == FIELD:
                return True
            reader.skip()
    except Exception:  # not a whole message: whoever reads it says so
        return True
    return False


def _hash(key: str) -> int:
    return int.from_bytes(hashlib.blake2b(key.encode("utf-8", "surrogateescape"), digest_size=8).digest(), "little")
