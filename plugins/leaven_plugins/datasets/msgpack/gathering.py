"""What the index of a dataset is made of, gathered sample by sample."""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leaven.errors import DatasetError, FormatError, printable
from leaven.stream.wire import unpack_sample
from leaven_plugins.datasets.msgpack.bloom import BloomFilter
from leaven_plugins.datasets.msgpack.columns import Column, encode_columns
from leaven_plugins.datasets.msgpack.files import COLUMNS, FILTER, HASHES, KEYS, MD5, OFFSETS
from leaven_plugins.datasets.msgpack.hashes import encode_hashes
from leaven_plugins.datasets.msgpack.keys import encode_keys
from leaven_plugins.datasets.msgpack.offsets import encode_offsets
from leaven_plugins.datasets.msgpack.sums import encode_sums

FEWEST = 1000
"""Samples from which on there is a file of columns: to read the labels of fewer takes 5 ms."""


class Gathered:
    """Keys, offsets, numbers and MD5 of the samples that were added, for errors about ``path``."""

    def __init__(self, path: Path) -> None:
        self.keys: dict[str, int] = {}
        self.offsets = array("Q", [0])
        self._path = path
        self._md5 = hashlib.md5(usedforsecurity=False)
        self._numbers = Numbers()

    @property
    def md5(self) -> str:
        """The MD5 of all messages, in hex digits."""
        return self._md5.hexdigest()

    def add(self, key: str, message: bytes, sample: Mapping[Any, Any]) -> None:
        """Add the next sample, given packed and as it is.

        Raises:
            DatasetError: another one has the same key.
        """
        position = len(self.keys)
        known = self.keys.setdefault(key, position)
        if known != position:
            raise DatasetError(f"{self._path}: samples {known} and {position} have the same key {printable(key)!r}")
        self._md5.update(message)
        self.offsets.append(self.offsets[-1] + len(message))
        self._numbers.add(sample)

    def index_files(self, name: str, others: dict[str, str]) -> dict[str, bytes]:
        """Return file name -> content of the index of the data file ``name``.

        Args:
            name: that of the data file.
            others: file name -> MD5 of further files, which are listed behind those of the index.
        """
        contents = {
            name + OFFSETS: encode_offsets(self.offsets),
            name + KEYS: encode_keys(list(self.keys)),
            name + HASHES: encode_hashes(self.keys),
            name + FILTER: BloomFilter.of(self.keys).content,
        }
        made = {file: hashlib.md5(content, usedforsecurity=False).hexdigest() for file, content in contents.items()}
        return {**contents, name + MD5: encode_sums({name: self.md5, **made, **others})}

    def column_files(self, data: Path, name: str) -> dict[str, bytes]:
        """Return the same of the columns of ``data``, whose name will be ``name``; none where they are of no use."""
        columns = self._numbers.columns()
        if not columns or len(self.keys) < FEWEST:
            return {}
        return {name + COLUMNS: encode_columns(data, self.md5, len(self.keys), columns)}


class Numbers:
    """The numbers that all samples have had so far, each field of one type throughout."""

    def __init__(self) -> None:
        self._columns: dict[str, _Growing] | None = None

    def add(self, sample: Mapping[Any, Any]) -> None:
        """Add those of one sample."""
        if self._columns is None:
            self._columns = {name: _Growing(type(value)) for name, value in sample.items() if _is_kept(name, value)}
        for name in [name for name, column in self._columns.items() if not column.takes(sample.get(name))]:
            del self._columns[name]

    def columns(self) -> dict[str, Column]:
        """Return them, integers in as few bytes as they need."""
        return {name: column.column() for name, column in (self._columns or {}).items()}


class _Growing:
    """A column that grows; all of its values are of one type."""

    def __init__(self, type_: type) -> None:
        self._type = type_
        self._dtype = np.dtype(type_)
        self._values: array[Any] = array("d" if self._dtype.kind == "f" else "q")

    def takes(self, value: Any) -> bool:
        """Add a value; return false where it is of another type, or does not fit."""
        if type(value) is not self._type:
            return False
        try:
            self._values.append(value.item() if isinstance(value, np.generic) else value)
        except OverflowError:
            return False
        return True

    def column(self) -> Column:
        numpy = issubclass(self._type, np.generic)
        values = np.array(self._values)
        if numpy or self._type is bool:
            return Column(values.astype(self._dtype.newbyteorder("<")), numpy)
        if self._type is int and len(values):
            values = values.astype(_smallest(values))
        return Column(values.astype(values.dtype.newbyteorder("<")), False)


def _smallest(values: NDArray[np.int64]) -> np.dtype[Any]:
    """Return the smallest type of integers that has all of them; what int8 and uint64 have in common is float64."""
    low, high = int(values.min()), int(values.max())
    kind = "i" if low < 0 else "u"
    types = (np.dtype(f"{kind}{size}") for size in (1, 2, 4, 8))
    return next(dtype for dtype in types if np.iinfo(dtype).min <= low and high <= np.iinfo(dtype).max)


def sample_of(message: bytes) -> dict[Any, Any]:
    """Return the sample in a message; nothing of one that is damaged, which is stored as it is."""
    try:
        return unpack_sample(message)
    except FormatError:
        return {}


def _is_kept(name: Any, value: Any) -> bool:
    """Return whether a field is kept as a column: a number that is exact in 64 bits, and has no unit."""
    if type(name) is not str or not isinstance(value, (bool, int, float, np.generic)):
        return False
    dtype = np.dtype(type(value))
    return dtype.kind in "biuf" and dtype.itemsize <= 8
