"""The spool: samples taken one by one, laid down column by column, before a file of columns is written of them.

How many there are, and whether rows differ in length, is known at the end only; files of columns want it first.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from leaven.errors import FormatError, listing, printable
from leaven_plugins.datasets.columns import NUMBER, Kind, cell, fields_of
from leaven_plugins.datasets.incoming import unpacked
from leaven_plugins.datasets.targets import disk_errors_named
from leaven_plugins.datasets.unique_keys import UniqueKeys

_SLAB = 1 << 24  # bytes that are read back at once


class Part(NamedTuple):
    """Rows ``start`` to ``stop`` of a column.

    Attributes:
        column: of which.
        start, stop: rows.
        first, last: the items that are in them.
    """

    column: Column
    start: int
    stop: int
    first: int
    last: int

    @property
    def offsets(self) -> NDArray[np.int64]:
        """Where each item begins and ends, counted in values from the beginning of the part: ``(items + 1,)``."""
        offsets: NDArray[np.int64] = self.column.offsets[self.first : self.last + 1] - self.column.offsets[self.first]
        return offsets

    @property
    def counts(self) -> NDArray[np.int64]:
        """How many items each row has."""
        return np.diff(self.column.rows[self.start : self.stop + 1])

    def slabs(self) -> Iterator[tuple[int, int, NDArray[Any]]]:
        """Yield the items in order: number of the first and of what comes after the last, from 0, and their values."""
        offsets, at = self.offsets, 0
        size = self.column.kind.dtype.itemsize
        while at < len(offsets) - 1:
            end = int(np.searchsorted(offsets, offsets[at] + _SLAB // size, "right")) - 1
            end = max(end, at + 1)
            yield at, end, self._values(offsets[at], offsets[end])
            at = end

    def _values(self, start: int, stop: int) -> NDArray[Any]:
        begin = int(self.column.offsets[self.first])
        dtype = self.column.kind.dtype
        return np.fromfile(self.column.file, dtype, stop - start, offset=(begin + int(start)) * dtype.itemsize)


class Column(NamedTuple):
    """A column that is complete: ``rows[i]`` is the number of row i's first item, ``offsets`` that of items' values.

    ``shape`` is that of every row's array, or ``None`` where these differ in length, or are texts or files.
    """

    name: str
    kind: Kind
    shape: tuple[int, ...] | None
    rows: NDArray[np.int64]
    offsets: NDArray[np.int64]
    file: Path

    def part(self, start: int, stop: int) -> Part:
        """Return some rows of it."""
        return Part(self, start, stop, int(self.rows[start]), int(self.rows[stop]))


class Spool:
    """Columns of samples in files of ``folder``; ``target`` is what errors name."""

    def __init__(self, folder: Path, target: Path) -> None:
        self._folder = folder
        self._target = target
        self._keys = UniqueKeys(target)
        with disk_errors_named(target):
            self._columns: dict[str, GrowingColumn] = {"key": GrowingColumn("key", folder / "column-0")}

    def __len__(self) -> int:
        return len(self._keys)

    def __enter__(self) -> Spool:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        for column in self._columns.values():
            with suppress(OSError):  # a disk that is full has been told already
                column.close()

    def extend(self, samples: Iterable[Mapping[Any, Any] | bytes]) -> None:
        """Take in samples.

        Raises:
            FormatError: a value cannot be in a column, or is of another kind than those of the samples before it.
            DatasetError: two samples have the same key, or the disk is full.
        """
        for position, sample in enumerate(samples, len(self._keys)):
            try:
                fields = fields_of(unpacked(sample))
                self._keys.add(fields)
                self._append(fields)
            except FormatError as error:
                raise FormatError(f"{self._target}: sample {position}: {error}") from error

    def columns(self) -> list[Column]:
        """Return all columns, with everything in their files."""
        with disk_errors_named(self._target):
            return [column.complete() for column in self._columns.values()]

    def _append(self, fields: Mapping[str, Any]) -> None:
        if len(self._keys) == 1:
            with disk_errors_named(self._target):
                self._begin(fields)
        if fields.keys() != self._columns.keys():
            raise FormatError(_other_fields(set(fields), set(self._columns)))
        for name, value in fields.items():
            try:
                with disk_errors_named(self._target):
                    self._columns[name].append(value)
            except FormatError as error:
                raise FormatError(
                    f"field {printable(name, 60)!r}: {error}; fields=... (--fields) chooses what is written"
                ) from error

    def _begin(self, fields: Mapping[str, Any]) -> None:
        for name in fields:
            if name not in self._columns:
                self._columns[name] = GrowingColumn(name, self._folder / f"column-{len(self._columns)}")


class GrowingColumn:
    """A column that grows. Rows of one dimension may differ in length, those of more may not."""

    def __init__(self, name: str, file: Path) -> None:
        self._name = name
        self._path = file
        self._file = open(file, "wb")  # noqa: SIM115 - closed by close()
        self._kind: Kind | None = None
        self._shape: tuple[int, ...] | None = None
        self._rows = array("q", [0])
        self._offsets = array("q", [0])

    def append(self, value: Any) -> None:
        """Add a row; raise a :class:`~leaven.errors.FormatError` where the column cannot hold it."""
        kind, shape, items = cell(value)
        if kind is None:
            items = [] if self._kind is None or self._kind.listed else [b""]
        elif self._kind is None:
            self._settle(kind)
        self._check(kind, shape)
        size = self._kind.dtype.itemsize if self._kind else 1
        for item in items:
            self._file.write(item)
            self._offsets.append(self._offsets[-1] + len(item) // size)
        self._rows.append(len(self._offsets) - 1)

    def complete(self) -> Column:
        """Return the column, with everything in its file."""
        self._file.flush()
        kind = self._kind or Kind(NUMBER, np.dtype("float64"), 1)
        if self._kind is None:
            self._settle(kind)
        rows, offsets = (np.array(numbers, np.int64) for numbers in (self._rows, self._offsets))
        fixed = kind.content == NUMBER and (kind.ndim != 1 or len(set(np.diff(offsets).tolist())) <= 1)
        shape = self._shape or () if kind.ndim != 1 else (int(offsets[1]) if len(offsets) > 1 else 0,)
        return Column(self._name, kind, shape if fixed else None, rows, offsets, self._path)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _settle(self, kind: Kind) -> None:
        """Take ``kind`` for that of the column, also of the empty lists that came so far."""
        self._kind = kind
        empty = len(self._rows) - 1
        if empty and not (kind.listed or kind.ndim == 1):
            raise FormatError(f"{kind}, where samples before have an empty list")
        if not kind.listed:
            self._rows, self._offsets = array("q", range(empty + 1)), array("q", [0] * (empty + 1))

    def _check(self, kind: Kind | None, shape: tuple[int, ...]) -> None:
        if kind is None:
            if self._kind is not None and not (self._kind.listed or self._kind.ndim == 1):
                raise FormatError(f"an empty list, where samples before have {self._kind}")
            return
        if kind != self._kind:
            raise FormatError(f"{kind}, where samples before have {self._kind}: rows of a column have one kind")
        if kind.ndim > 1:
            self._shape = self._shape or shape
            if shape != self._shape:
                raise FormatError(f"an array {shape}, where samples before have {self._shape}; images may be encoded")


def _other_fields(fields: set[str], columns: set[str]) -> str:
    parts = {"misses": columns - fields, "has, which the first does not,": fields - columns}
    found = " and ".join(f"it {verb} {listing(map(repr, names))}" for verb, names in parts.items() if names)
    return f"{found}; all samples need the same fields: fields=... (--fields) chooses what is written"
