"""The file of offsets: where in the data file each sample starts and ends."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np

from leaven.errors import FormatError
from leaven_plugins.datasets.open_file import MappedFile, Readable, open_readable

_PAIR = struct.Struct(">QQ")
_LOADED = 16 << 20
"""Bytes up to which the file is read into memory at the first sample: 0.1 us for a span where reading it takes 0.7."""


class OffsetsFile:
    """``count + 1`` unsigned 64-bit big-endian integers: sample ``i`` is bytes ``[o[i], o[i + 1])`` of the data file.

    Raises:
        DatasetError: it cannot be opened.
        FormatError: its size is not that of such a file, or it does not begin with 0.
    """

    def __init__(self, path: Path, mapped: bool = False) -> None:
        self._file = open_readable(path, mapped)
        if self._file.size < 8 or self._file.size % 8:
            raise FormatError(f"{path}: {self._file.size} bytes, which is not a whole number of offsets: cut off")
        self.count = self._file.size // 8 - 1
        first, self.end = self._at(0), self._at(self.count)
        if first != 0:
            raise FormatError(f"{path}: the first offset is {first} instead of 0")

    def span(self, index: int) -> tuple[int, int]:
        """Return start and end of a sample.

        Raises:
            FormatError: they are not in order, or beyond the end.
        """
        start, end = _PAIR.unpack(self._file.read(16, 8 * index))
        if start <= end <= self.end:
            return start, end
        raise self._wrong(index, start, end)

    def reader(self, data: Readable) -> Callable[[int], bytes]:
        """Return a function that reads a sample of a data file; it raises as :meth:`span` and ``data.read`` do.

        It has at hand what it needs: 0.7 us for a sample in two mapped files, where methods take 1.0.
        """
        if self._file.size > _LOADED and not isinstance(self._file, MappedFile):
            return lambda index: self._read(data, index)
        unpack, offsets, most = _PAIR.unpack_from, self._file.content(), self.end
        if isinstance(data, MappedFile):
            content = data.content()

            def mapped(index: int) -> bytes:
                start, end = unpack(offsets, 8 * index)
                if start <= end <= most:
                    return content[start:end]
                raise self._wrong(index, start, end)

            return mapped
        read = data.read

        def loaded(index: int) -> bytes:
            start, end = unpack(offsets, 8 * index)
            if start <= end <= most:
                return read(end - start, start)
            raise self._wrong(index, start, end)

        return loaded

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _read(self, data: Readable, index: int) -> bytes:
        start, end = self.span(index)
        return data.read(end - start, start)

    def _wrong(self, index: int, start: int, end: int) -> FormatError:
        return FormatError(f"{self._file.path}: sample {index}, at byte {8 * index}: offsets {start}, {end}")

    def _at(self, position: int) -> int:
        return int.from_bytes(self._file.read(8, 8 * position), "big")


def encode_offsets(offsets: Iterable[int]) -> bytes:
    """Return the content of the file for these offsets, the first of them 0."""
    return np.fromiter(offsets, np.uint64).astype(">u8").tobytes()
