"""The arrays in a .npz file: those that are stored as they are get read in place, compressed ones once as a whole."""

from __future__ import annotations

import math
import struct
import threading
import zipfile
import zlib
from dataclasses import dataclass
from functools import cached_property
from io import BytesIO
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from leaven.errors import FormatError, printable
from leaven_plugins.datasets.column_table import native
from leaven_plugins.datasets.cursor import Cursor
from leaven_plugins.datasets.npy import is_possible
from leaven_plugins.datasets.open_file import OpenFile

_LOCAL_HEAD = struct.Struct("<4s22xHH")
_ENCRYPTED = 1
_CHUNK = 1 << 20
_HEAD_LIMIT = 1 << 16  # of an array: one of a single type has 128 bytes
_VERSIONS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}


class Head(NamedTuple):
    """What the head of an array says, and how many bytes it has."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    fortran: bool
    nbytes: int


class Archive:
    """A .npz file that is open: ``members`` are its arrays by name.

    Args:
        path: the file.
        limit: bytes that its compressed arrays may have in memory, together.

    Raises:
        DatasetError: it does not exist.
        FormatError: it is no zip file, or one of something else than arrays of numbers and text.
    """

    def __init__(self, path: Path, limit: int) -> None:
        self.file = OpenFile(path)
        try:
            self.members = self._arrays()
            self._check_size(limit)
        except BaseException:
            self.file.close()
            raise

    def close(self) -> None:
        """Close the file."""
        self.file.close()

    def _arrays(self) -> dict[str, Member]:
        members: dict[str, Member] = {}
        for member in map(self._member, self._entries()):
            if members.setdefault(member.name, member) is not member:
                raise FormatError(f"{member.where}: is there twice")
        return members

    def _entries(self) -> list[zipfile.ZipInfo]:
        try:
            with zipfile.ZipFile(Cursor(self.file)) as archive:
                return archive.infolist()
        except (
            zipfile.BadZipFile,
            NotImplementedError,
            ValueError,
            struct.error,
            OverflowError,
            UnicodeError,
        ) as error:
            raise FormatError(f"{self.file.path}: not a .npz file: {printable(str(error))}") from error

    def _member(self, entry: zipfile.ZipInfo) -> Member:
        where = f"{self.file.path}: {printable(entry.filename, 80)!r}"
        if not entry.filename.endswith(".npy"):
            raise FormatError(f"{where}: expected arrays only, their names ending in .npy")
        if entry.flag_bits & _ENCRYPTED or entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise FormatError(f"{where}: encrypted, or compressed by another method than numpy's (deflate)")
        magic, name_length, extra_length = _LOCAL_HEAD.unpack(self.file.read(_LOCAL_HEAD.size, entry.header_offset))
        if magic != b"PK\3\4":
            raise FormatError(f"{where}: no member begins at byte {entry.header_offset}")
        offset = entry.header_offset + _LOCAL_HEAD.size + name_length + extra_length
        if entry.compress_type == zipfile.ZIP_STORED and entry.file_size != entry.compress_size:
            raise FormatError(f"{where}: {entry.compress_size} bytes that are stored as {entry.file_size}")
        return Member(self.file, entry.filename.removesuffix(".npy"), entry, offset)

    def _check_size(self, limit: int) -> None:
        packed = [member.entry.file_size for member in self.members.values() if not member.is_stored]
        if sum(packed) > limit:
            raise FormatError(
                f"{self.file.path}: its compressed arrays take {sum(packed)} bytes in memory, {limit} are allowed: "
                f"limit=..., or save it without compression"
            )


@dataclass(frozen=True)
class Member:
    """One array of the file, which begins at ``offset`` with a head."""

    file: OpenFile
    name: str
    entry: zipfile.ZipInfo
    offset: int

    @property
    def is_stored(self) -> bool:
        """Whether its bytes are in the file as they are."""
        return bool(self.entry.compress_type == zipfile.ZIP_STORED)

    @property
    def where(self) -> str:
        """What errors call it."""
        return f"{self.file.path}: array {printable(self.name, 80)!r}"

    @cached_property
    def head(self) -> Head:
        """The array's head; raises a :class:`~leaven.errors.FormatError` where it is none, or one of objects."""
        start = (
            self._stored(0, min(self.entry.file_size, _HEAD_LIMIT)) if self.is_stored else self._inflated(_HEAD_LIMIT)
        )
        return _head(start, self.entry.file_size, self.where)

    def values(self, start: int, stop: int) -> NDArray[Any]:
        """Return some of the array's values, as one dimension, in the order in which they lie in the file."""
        head = self.head
        if self._whole is not None:
            return native(self._whole[start:stop])
        size = head.dtype.itemsize
        data = self._stored(head.nbytes + start * size, (stop - start) * size)
        return native(np.frombuffer(bytearray(data), head.dtype))  # writable, as any other array

    @cached_property
    def _whole(self) -> NDArray[Any] | None:
        return None if self.is_stored else self._unpacked()

    def _unpacked(self) -> NDArray[Any]:
        with _UNPACKING:
            data = self._inflated(self.entry.file_size)
        if len(data) != self.entry.file_size or zlib.crc32(data) != self.entry.CRC:
            raise FormatError(f"{self.where}: {len(data)} bytes instead of {self.entry.file_size}, or damaged")
        array = np.frombuffer(data, self.head.dtype, offset=self.head.nbytes)
        array.flags.writeable = False
        return array

    def check(self) -> None:
        """Raise a :class:`~leaven.errors.FormatError` unless its bytes are those of its checksum."""
        if not self.is_stored:
            self._unpacked()
            return
        crc, size = 0, self.entry.file_size
        for start in range(0, size, _CHUNK):
            crc = zlib.crc32(self._stored(start, min(_CHUNK, size - start)), crc)
        if crc != self.entry.CRC:
            raise FormatError(f"{self.where}: damaged: its checksum is {crc:08x} instead of {self.entry.CRC:08x}")

    def _stored(self, start: int, nbytes: int) -> bytes:
        return self.file.read(nbytes, self.offset + start)

    def _inflated(self, most: int) -> bytes:
        """Return the first bytes of a compressed member, ``most`` at most."""
        unpacker = zlib.decompressobj(-15)
        try:
            return unpacker.decompress(self._stored(0, self.entry.compress_size), most)
        except zlib.error as error:
            raise FormatError(f"{self.where}: damaged: {error}") from error


_UNPACKING = threading.Lock()  # the memory for one array at a time


def _head(start: bytes, file_size: int, where: str) -> Head:
    stream: IO[bytes] = BytesIO(start)
    try:
        version = np.lib.format.read_magic(stream)
        shape, fortran, dtype = _VERSIONS[version](stream)
    except Exception as error:  # damaged heads make numpy's parser raise anything, tokenize.TokenError among it
        raise FormatError(f"{where}: no head of an array: {printable(str(error), 200)}") from error
    if dtype.hasobject:
        raise FormatError(f"{where}: holds Python objects, which are programs to be run; they are never read")
    if dtype.kind not in "biufUS" or dtype.itemsize == 0 or dtype.itemsize > 1 << 20:
        raise FormatError(f"{where}: {dtype} is not read, only numbers and text")
    if not is_possible(shape, dtype) or math.prod(shape) * dtype.itemsize != file_size - stream.tell():
        raise FormatError(f"{where}: {shape} of {dtype} do not have {file_size - stream.tell()} bytes")
    return Head(shape, dtype, fortran, stream.tell())
