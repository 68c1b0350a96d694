"""The file of columns: the numbers that all samples have, such as their labels, as arrays beside the data.

Magic, length of the head and its CRC-32 come first, then the head: a map (msgpack) with ``version``, ``count``, the
``data`` file's fingerprint, its ``md5``, and the ``columns``: name, dtype, whether the numbers are numpy's, and CRC-32.
Then come the columns themselves, little-endian, each as long as its dtype and ``count`` say.
"""

from __future__ import annotations

import logging
import struct
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import msgpack
import numpy as np
from numpy.typing import NDArray

from leaven.errors import DatasetError, FormatError
from leaven_plugins.datasets.fingerprint import fingerprint
from leaven_plugins.datasets.msgpack.files import COLUMNS, beside
from leaven_plugins.datasets.msgpack.sums import read_sums
from leaven_plugins.datasets.open_file import OpenFile

_MAGIC = b"leavenCO"
_VERSION = 1
_HEAD = struct.Struct("<8sII")
_KINDS = "biuf"

log = logging.getLogger("leaven.datasets")
_told: set[Path] = set()


class Column(NamedTuple):
    """The values of one field, ``(n,)``; ``numpy``: in the samples too they are numpy's numbers, and no plain ones."""

    values: NDArray[Any]
    numpy: bool

    def item(self, index: int) -> Any:
        """Return one value as the sample has it."""
        return self.values[index] if self.numpy else self.values.item(index)

    def all(self) -> NDArray[Any]:
        """Return a copy of all; plain integers, which are kept in as few bytes as they need, become int64."""
        plain = not self.numpy and self.values.dtype.kind in "iu"
        return self.values.astype(np.int64 if plain else self.values.dtype)


class Columns:
    """The columns beside a data file of ``count`` samples; each is read, and its sum checked, when it is asked for.

    They are read and not mapped: labels below 256 take one byte for each sample.

    Raises:
        DatasetError: the file cannot be opened, or was made for other data.
        FormatError: it is damaged.
    """

    def __init__(self, data: Path, count: int) -> None:
        self.path = beside(data, COLUMNS)
        self._data = data
        self._read: dict[str, Column | None] = {}
        self._file = OpenFile(self.path)
        try:
            self._places = self._placed(count)
        except BaseException:
            self.close()
            raise

    @classmethod
    def beside(cls, data: Path, count: int) -> Columns | None:
        """Return those beside a data file, or ``None`` where there are none, or none of use; that is logged once."""
        try:
            return cls(data, count) if beside(data, COLUMNS).exists() else None
        except DatasetError as error:
            _tell(beside(data, COLUMNS), error)
            return None

    @staticmethod
    def check(data: Path, count: int) -> None:
        """Raise what opening the file beside ``data``, or reading one of its columns, raises."""
        columns = Columns(data, count)
        try:
            for name in columns._places:
                columns.read(name)
        finally:
            columns.close()

    def get(self, name: str) -> Column | None:
        """Return a column, or ``None`` where there is none, or a damaged one; that is logged once."""
        if name in self._places and name not in self._read:
            try:
                self._read[name] = self.read(name)
            except DatasetError as error:
                _tell(self.path, error)
                self._read[name] = None
        return self._read.get(name)

    def read(self, name: str) -> Column:
        """Return a column.

        Raises:
            FormatError: it was changed, or is cut off by now.
        """
        place = self._places[name]
        content = self._file.read(place.nbytes, place.start)
        if zlib.crc32(content) != place.crc:
            raise self._damaged(f"the column {name!r} was changed")
        return Column(np.frombuffer(content, place.dtype), place.numpy)

    def close(self) -> None:
        """Close the file; arrays that were returned stay."""
        self._file.close()

    def _placed(self, count: int) -> dict[str, _Place]:
        """Return where each column is, once it is sure that the file is what it should be."""
        length, crc = self._head()
        packed = self._file.read(length, _HEAD.size)
        if zlib.crc32(packed) != crc:
            raise self._damaged("its head was changed")
        try:
            about = msgpack.unpackb(packed)
            version, made_for = about["version"], (about["count"], about["data"])
            places, end = _places(about["columns"], count, _HEAD.size + length)
            md5 = str(about["md5"])
        except Exception as error:
            raise self._damaged("its head is not one") from error
        if version != _VERSION:
            raise self._damaged(f"of version {version}, where {_VERSION} is known")
        if made_for != (count, fingerprint(self._data)) or self._is_old(md5):
            name = self._data.name
            raise DatasetError(f"{self.path}: was made for other data than {name} has now{_again(self._data)}")
        if end != self._file.size:
            raise self._damaged(f"{self._file.size} bytes instead of {end}")
        return places

    def _head(self) -> tuple[int, int]:
        magic, length, crc = (
            _HEAD.unpack(self._file.read(_HEAD.size, 0)) if self._file.size >= _HEAD.size else (b"", 0, 0)
        )
        if magic != _MAGIC or length > self._file.size - _HEAD.size:
            raise self._damaged("does not begin as one")
        return length, crc

    def _is_old(self, md5: str) -> bool:
        """Return whether the data file has another sum by now, as far as the file of sums tells."""
        try:
            return read_sums(self._data).get(self._data.name, md5) != md5
        except DatasetError:  # whoever verifies it is told
            return False

    def _damaged(self, text: str) -> FormatError:
        return FormatError(f"{self.path}: no columns that can be used: {text}{_again(self._data)}")


class _Place(NamedTuple):
    start: int
    samples: int
    dtype: np.dtype[Any]
    numpy: bool
    crc: int

    @property
    def nbytes(self) -> int:
        return self.samples * self.dtype.itemsize


def encode_columns(data: Path, md5: str, count: int, columns: Mapping[str, Column]) -> bytes:
    """Return the content of the file for a data file that is complete.

    Raises:
        DatasetError: the data file cannot be read.
    """
    contents = {name: column.values.tobytes() for name, column in columns.items()}
    rows = [[name, c.values.dtype.str, c.numpy, zlib.crc32(contents[name])] for name, c in columns.items()]
    about = {"version": _VERSION, "count": count, "data": fingerprint(data), "md5": md5, "columns": rows}
    packed = msgpack.packb(about)
    return b"".join((_HEAD.pack(_MAGIC, len(packed), zlib.crc32(packed)), packed, *contents.values()))


def _places(rows: Any, count: int, start: int) -> tuple[dict[str, _Place], int]:
    """Return where each column is, and where the last one ends.

    Raises:
        ValueError, TypeError: the rows of a head are none, or of a dtype that is not one of numbers.
    """
    places = {}
    for name, code, numpy, crc in rows:
        dtype = np.dtype(str(code))
        if dtype.kind not in _KINDS:
            raise ValueError(f"a column of dtype {code}")
        places[str(name)] = place = _Place(start, count, dtype, bool(numpy), int(crc))
        start += place.nbytes
    return places, start


def _again(data: Path) -> str:
    return f": run `leaven data index {data}` again, or remove it"


def _tell(path: Path, error: DatasetError) -> None:
    """Say that labels come from the samples then, once for each file in a process."""
    if path not in _told:
        _told.add(path)
        log.warning("labels are read from the samples: %s", str(error))  # its traceback holds on to files
