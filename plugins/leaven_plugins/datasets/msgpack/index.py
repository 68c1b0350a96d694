"""The index of a dataset: spans, keys and the way back from a key, each read from its file when it is first needed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from leaven.errors import DatasetError, FormatError
from leaven_plugins.datasets.msgpack.bloom import BloomFilter
from leaven_plugins.datasets.msgpack.files import FILTER, HASHES, KEYS, LEGACY, OFFSETS, beside
from leaven_plugins.datasets.msgpack.hashes import KeyHashes
from leaven_plugins.datasets.msgpack.keys import KeysFile
from leaven_plugins.datasets.msgpack.legacy import LegacyIndex
from leaven_plugins.datasets.msgpack.offsets import OffsetsFile
from leaven_plugins.datasets.open_file import Readable


class Index(Protocol):
    """Where samples are, and what they are called."""

    def __len__(self) -> int: ...

    def span(self, index: int) -> tuple[int, int]:
        """Return start and end of a sample in the data file, in bytes."""

    def key(self, index: int) -> str:
        """Return the key of a sample."""

    def find(self, key: str) -> int | None:
        """Return the position of a key, or ``None`` where there is no such key."""

    def reader(self, data: Readable) -> Callable[[int], bytes]:
        """Return a function that returns the message of a sample, for positions from 0 to below the length."""

    def close(self) -> None:
        """Give back files and memory."""


def open_index(data: Path, data_size: int, mapped: bool = False) -> Index:
    """Return the index of a data file of this size: that of the files beside it, else the legacy one.

    ``mapped``: whether the file of offsets is mapped into memory.

    Raises:
        DatasetError: there is no index, or a part of it is missing.
        FormatError: a part is cut off, or does not fit the data file or the others.
    """
    present = {suffix for suffix in (OFFSETS, KEYS, LEGACY) if beside(data, suffix).exists()}
    if LEGACY in present and not {OFFSETS, KEYS} <= present:
        return LegacyIndex(beside(data, LEGACY), data_size)
    if not present:
        raise DatasetError(
            f"{data}: has no index, there is no {data.name}{OFFSETS} beside it: copied alone, or not a dataset; "
            f"`leaven data index {data}` makes one of the samples' own keys"
        )
    return FileIndex(data, data_size, mapped)


class FileIndex:
    """The index that consists of offsets, keys, hashes of keys and a Bloom filter.

    The filter may be missing, and so may the hashes: they are then made from the keys.
    """

    def __init__(self, data: Path, data_size: int, mapped: bool = False) -> None:
        self._data = data
        self._offsets = OffsetsFile(beside(data, OFFSETS), mapped)
        self._keys = KeysFile(beside(data, KEYS))
        self._hashes: KeyHashes | None = None
        self._filter: BloomFilter | None = None
        if self._offsets.count != self._keys.count:
            raise FormatError(f"{data}: {self._offsets.count} samples by {OFFSETS}, but {self._keys.count} by {KEYS}")
        if self._offsets.end != data_size:
            raise FormatError(
                f"{data}: has {data_size} bytes, but its offsets end at {self._offsets.end}: cut off or changed"
            )

    def __len__(self) -> int:
        return self._keys.count

    def span(self, index: int) -> tuple[int, int]:
        """Return start and end of a sample in the data file, in bytes."""
        return self._offsets.span(index)

    def key(self, index: int) -> str:
        """Return the key of a sample."""
        return self._keys.key(index)

    def find(self, key: str) -> int | None:
        """Return the position of a key, or ``None`` where there is no such key."""
        if self._filter is None and beside(self._data, FILTER).exists():
            self._filter = BloomFilter.read(beside(self._data, FILTER))
        if self._filter is not None and key not in self._filter:
            return None
        if self._hashes is None:
            self._hashes = self._load_hashes()
        return next((position for position in self._hashes.candidates(key) if self.key(position) == key), None)

    def reader(self, data: Readable) -> Callable[[int], bytes]:
        """Return a function that returns the message of a sample."""
        return self._offsets.reader(data)

    def close(self) -> None:
        """Give back files and memory."""
        self._offsets.close()
        self._keys.close()

    def _load_hashes(self) -> KeyHashes:
        path = beside(self._data, HASHES)
        return KeyHashes.read(path, self._keys.count) if path.exists() else KeyHashes.of(list(self._keys))
