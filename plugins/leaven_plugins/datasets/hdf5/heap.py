"""Rows of any length, read past the library from where they lie: the file's global heap.

The library takes lengths and numbers there as they are: of files with a few bytes changed at random, one in a hundred
crashed the interpreter or never came back; read this way, none of 1800. It also takes 190 us for a row of 5 kB, where
this takes 31.

"HDF5 File Format Specification Version 3.0", III.E: a collection begins with ``GCOL``, version 1, 3 bytes and
its size; each object in it with its number, a count (16 bits each), 4 bytes and its size, and ends at a multiple of 8
bytes. A row's reference to it is length, address of the collection, and number of the object.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from leaven.errors import FormatError
from leaven_plugins.datasets.column_table import native
from leaven_plugins.datasets.hdf5.library import h5py_module
from leaven_plugins.datasets.open_file import OpenFile

_REFERENCE = struct.Struct("<IQI")
_COLLECTION = struct.Struct("<4sB3xQ")
_OBJECT = struct.Struct("<HH4xQ")


class Heap:
    """The global heap of a file whose addresses are counted from ``base``."""

    def __init__(self, file: OpenFile, base: int) -> None:
        self.file = file
        self._base = base
        self._latest = _Collection(-1, b"", {})

    def data(self, address: int, number: int, nbytes: int, where: str) -> bytes:
        """Return the first bytes of an object.

        Raises:
            FormatError: there is no such object, or it is shorter.
        """
        collection = self._latest  # that of the row before, as a rule; other threads may put theirs in its place
        if collection.address != address:
            collection = self._latest = self._collection(address, where)
        start, size = collection.objects.get(number, (0, -1))
        if size < nbytes:
            raise FormatError(f"{where}: {nbytes} bytes of object {number} at byte {address}, which has not so many")
        return collection.content[start : start + nbytes]

    def _collection(self, address: int, where: str) -> _Collection:
        head = self.file.read(_COLLECTION.size, self._base + address)
        magic, version, size = _COLLECTION.unpack(head)
        if magic != b"GCOL" or version != 1:
            raise FormatError(f"{where}: no heap begins at byte {self._base + address}")
        content = self.file.read(size, self._base + address)
        return _Collection(address, content, _objects(content))


class _Collection(NamedTuple):
    address: int
    content: bytes
    objects: dict[int, tuple[int, int]]


@dataclass(frozen=True)
class HeapColumn:
    """A dataset of references into the heap, which lie at ``places``: one offset in the file for each chunk of rows.

    ``content`` is ``text``, ``bytes`` or ``array``, ``dtype`` that of the numbers.
    """

    heap: Heap
    places: dict[int, int]
    chunk: int
    length: int
    content: str
    dtype: np.dtype[Any]
    name: str

    def __len__(self) -> int:
        return self.length

    def row(self, index: int) -> Any:
        """Return a text, the bytes of a file, or an array."""
        data = self._data(index)
        if self.content == "bytes":
            return data
        return native(np.frombuffer(bytearray(data), self.dtype)) if self.content == "array" else self._text(data)

    def all(self) -> list[Any]:
        """Return what is in all rows."""
        return [self.row(index) for index in range(self.length)]

    def _data(self, index: int) -> bytes:
        number, within = divmod(index, self.chunk)
        place = self.places.get(number)
        if place is None:  # never written
            return b""
        reference = self.heap.file.read(_REFERENCE.size, place + within * _REFERENCE.size)
        length, address, item = _REFERENCE.unpack(reference)
        where = f"{self.heap.file.path}: {self.name!r}, row {index}"
        return self.heap.data(address, item, length * self.dtype.itemsize, where) if length else b""

    def _text(self, data: bytes) -> str:
        try:
            return data.partition(b"\0")[0].decode()  # as the library reads it: some writers count the NUL
        except UnicodeDecodeError as error:
            raise FormatError(f"{self.heap.file.path}: {self.name!r}: text that is not UTF-8: {error}") from error


def heap_column(heap: Heap, dataset: Any, content: str) -> HeapColumn | None:
    """Return a dataset of rows of any length, or ``None`` for one that only the library can read: compressed ones."""
    h5py = h5py_module()
    plist = dataset.id.get_create_plist()
    layout, length = plist.get_layout(), dataset.shape[0]
    if plist.get_nfilters() or layout not in (h5py.h5d.CONTIGUOUS, h5py.h5d.CHUNKED):
        return None
    if layout == h5py.h5d.CONTIGUOUS:
        chunk, stored = max(length, 1), dataset.id.get_storage_size()
        found = [(0, int(dataset.id.get_offset()), stored)] if stored else []
    else:
        chunk = dataset.chunks[0]
        infos = (dataset.id.get_chunk_info(number) for number in range(dataset.id.get_num_chunks()))
        found = [(int(info.chunk_offset[0]) // chunk, int(info.byte_offset), int(info.size)) for info in infos]
    if any(size != chunk * _REFERENCE.size for _, _, size in found):  # addresses of other than 8 bytes
        return None
    places = {number: offset for number, offset, _ in found}
    base = h5py.check_vlen_dtype(dataset.dtype) if content != "text" else np.dtype(np.uint8)
    return HeapColumn(heap, places, chunk, length, content, base, dataset.name)


def _objects(content: bytes) -> dict[int, tuple[int, int]]:
    """Return where each object of a collection begins, and its size."""
    found: dict[int, tuple[int, int]] = {}
    at = 16
    while at + _OBJECT.size <= len(content):
        number, _, size = _OBJECT.unpack_from(content, at)
        at += _OBJECT.size
        if number == 0 or size > len(content) - at:  # what is free, at the end
            break
        found[number] = (at, size)
        at += -(-size // 8) * 8
    return found
