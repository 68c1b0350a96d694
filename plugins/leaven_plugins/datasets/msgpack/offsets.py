"""The file of offsets: where in the data file each sample starts and ends."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from leaven.errors import FormatError
from leaven_plugins.datasets.open_file import OpenFile

_PAIR = struct.Struct(">QQ")


class OffsetsFile:
    """``count + 1`` unsigned 64-bit big-endian integers: sample ``i`` is bytes ``[o[i], o[i + 1])`` of the data file.

    Raises:
        DatasetError: it cannot be opened.
        FormatError: its size is not that of such a file, or it does not begin with 0.
    """

    def __init__(self, path: Path) -> None:
        self._file = OpenFile(path)
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
        if not start <= end <= self.end:
            raise FormatError(f"{self._file.path}: sample {index}, at byte {8 * index}: offsets {start}, {end}")
        return start, end

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _at(self, position: int) -> int:
        return int.from_bytes(self._file.read(8, 8 * position), "big")


def encode_offsets(offsets: Iterable[int]) -> bytes:
    """Return the content of the file for these offsets, the first of them 0."""
    return np.fromiter(offsets, np.uint64).astype(">u8").tobytes()
