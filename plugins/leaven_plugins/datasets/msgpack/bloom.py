"""The Bloom filter: says at once of most keys that are not in a dataset that they are not."""

from __future__ import annotations

import hashlib
import math
import struct
from collections.abc import Collection, Iterable
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from leaven.errors import FormatError
from leaven_plugins.datasets.open_file import OpenFile

_MAGIC = b"SIMPBLOO"
_HEAD = struct.Struct(">8sQQd")
_LN2 = 0.6931471805599453
_CHUNK = 1 << 16  # keys that are added at once: 16 to 32 positions of 8 bytes for each


class BloomFilter:
    """A set of bits that are on for the keys that were added, for ``elements`` keys at a rate of false positives.

    ``content`` is that of the file, head and bits.
    """

    def __init__(self, elements: int, rate: float, bits: NDArray[np.uint8]) -> None:
        self._elements = elements
        self._rate = rate
        self._bits = bits
        self._hashes = round(8 * len(bits) / elements * _LN2)

    @classmethod
    def of(cls, keys: Collection[str]) -> BloomFilter:
        """Return a filter with these keys in it, made for as many and at least 2."""
        elements = max(2, len(keys))
        rate = 1 / elements
        filled = cls(elements, rate, np.zeros(_nbytes(elements, rate), np.uint8))
        filled._add(keys)
        return filled

    @classmethod
    def read(cls, path: Path) -> BloomFilter:
        """Return the filter in a file.

        Raises:
            DatasetError: it cannot be opened.
            FormatError: its head is wrong, or not that of a file of this size.
        """
        file = OpenFile(path)
        try:
            content = file.content()
        finally:
            file.close()
        if len(content) < _HEAD.size:
            raise FormatError(f"{path}: {len(content)} bytes, too short for a filter: cut off")
        magic, nbytes, elements, rate = _HEAD.unpack_from(content)
        if magic != _MAGIC or not 0 < rate < 1 or elements < 1:
            raise FormatError(f"{path}: does not begin with the head of a filter")
        if not nbytes == len(content) == _HEAD.size + _nbytes(elements, rate):
            raise FormatError(f"{path}: {len(content)} bytes, where a filter for {elements} keys was promised: cut off")
        return cls(elements, rate, np.frombuffer(content, np.uint8, offset=_HEAD.size))

    @property
    def content(self) -> bytes:
        """The content of a file with this filter."""
        return _HEAD.pack(_MAGIC, _HEAD.size + len(self._bits), self._elements, self._rate) + self._bits.tobytes()

    def __contains__(self, key: str) -> bool:
        positions = self._positions([key])
        return bool(np.all(self._bits[positions >> np.uint64(3)] & _bit(positions)))

    def first_missing(self, keys: Iterable[str]) -> str | None:
        """Return the first of the keys that are not in it."""
        remaining = iter(keys)
        while chunk := list(islice(remaining, _CHUNK)):
            positions = self._positions(chunk)
            there = (self._bits[positions >> np.uint64(3)] & _bit(positions) != 0).reshape(len(chunk), -1).all(1)
            if not there.all():
                return chunk[int(np.argmin(there))]
        return None

    def _add(self, keys: Collection[str]) -> None:
        remaining = iter(keys)
        while chunk := list(islice(remaining, _CHUNK)):
            positions = self._positions(chunk)
            np.bitwise_or.at(self._bits, positions >> np.uint64(3), _bit(positions))

    def _positions(self, keys: Collection[str]) -> NDArray[np.uint64]:
        digests = b"".join(hashlib.blake2s(key.encode()).digest()[:16] for key in keys)
        pairs = np.frombuffer(digests, ">u8").astype(np.uint64).reshape(-1, 2)
        steps = np.arange(self._hashes, dtype=np.uint64)
        # Unsigned arithmetic wraps at 2^64, as the format asks for.
        positions: NDArray[np.uint64] = (pairs[:, :1] + steps * pairs[:, 1:]) % np.uint64(8 * len(self._bits))
        return positions.ravel()


def _bit(positions: NDArray[np.uint64]) -> NDArray[np.uint8]:
    bits: NDArray[np.uint8] = np.uint8(1) << (positions & np.uint64(7)).astype(np.uint8)
    return bits


def _nbytes(elements: int, rate: float) -> int:
    return math.ceil(elements * math.log(rate) / -0.4804530139182015 / 8)
