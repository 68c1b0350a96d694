"""Writing a Parquet file, one group of rows after the other."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from leaven.errors import FormatError, listing, printable
from leaven_plugins.datasets.incoming import unpacked
from leaven_plugins.datasets.parquet.file import libraries
from leaven_plugins.datasets.parquet.values import ARRAYS, leaf_types, to_column
from leaven_plugins.datasets.staging import Staging
from leaven_plugins.datasets.targets import check_target, disk_errors_named
from leaven_plugins.datasets.unique_keys import UniqueKeys

_SURROGATE = re.compile("[\ud800-\udfff]")
_ADVICE = "fields=... (--fields) chooses what is written"


class _Row(NamedTuple):
    position: int
    values: dict[str, Any]
    arrays: frozenset[str]
    """Which of the values are arrays, as bytes."""


def write_parquet(path: Path, samples: Iterable[Mapping[Any, Any] | bytes], overwrite: bool, rows: int) -> int:
    """Write samples to a Parquet file in groups of ``rows``; return how many there were."""
    check_target(path, overwrite)
    with Staging(path) as staging:
        count = _write(staging.path / path.name, _rows(samples, path), rows, path)
        with disk_errors_named(path):
            staging.sync([path.name])
            check_target(path, overwrite)
            staging.commit([path.name])
    return count


def _write(file: Path, rows: Iterator[_Row], size: int, path: Path) -> int:
    _, parquet = libraries()
    count, columns, writer = 0, _Columns(path), None
    try:
        for group in _groups(rows, size):
            table = columns.table(group)
            with disk_errors_named(path):
                writer = writer or parquet.ParquetWriter(file, table.schema, **_options(table))
                writer.write_table(table, row_group_size=size)
            count += len(group)
    finally:
        if writer is not None:
            with disk_errors_named(path):
                writer.close()
    return count


class _Columns:
    """The columns of a file: their types are those of the first group of rows, which may be an empty one."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._arrays: frozenset[str] = frozenset()
        self._types: dict[str, Any] = {}
        self._leaves: dict[str, set[type]] = {}

    def table(self, group: list[_Row]) -> Any:
        arrow, _ = libraries()
        if not self._types:
            self._types = dict.fromkeys(group[0].values if group else ["key"])
            self._arrays = group[0].arrays if group else frozenset()
        for row in group:
            self._check(row)
        columns = {name: self._column(name, group) for name in self._types}
        self._types = {name: column.type for name, column in columns.items()}
        fields = [
            arrow.field(name, column.type, metadata=ARRAYS if name in self._arrays else None)
            for name, column in columns.items()
        ]
        return arrow.table(list(columns.values()), schema=arrow.schema(fields))

    def _check(self, row: _Row) -> None:
        if row.values.keys() != self._types.keys():
            odd = listing(row.values.keys() ^ self._types.keys())
            raise self._problem(row, f"has other fields than the samples before: {odd}")
        if row.arrays != self._arrays:
            raise self._problem(row, f"{listing(row.arrays ^ self._arrays)} is an array in some samples, not in others")
        for name, value in row.values.items():
            leaves = self._leaves.setdefault(name, set())
            leaves |= leaf_types(value)
            if len(leaves) > 1:
                types = listing(leaf.__name__ for leaf in leaves)
                raise self._problem(row, f"field {printable(name)!r} has several types by now: {types}")

    def _column(self, name: str, group: list[_Row]) -> Any:
        arrow, _ = libraries()
        try:
            return arrow.array([row.values[name] for row in group], type=self._types[name])
        except Exception as error:  # ArrowInvalid, ArrowTypeError, OverflowError
            is_null = self._types[name] is not None and arrow.types.is_null(self._types[name])
            reason = "the first rows had no value, which tells no type" if is_null else printable(str(error), 200)
            text = f"or one of the {len(group)} from it on: field {printable(name)!r}: {reason}"
            raise self._problem(group[0], text) from error

    def _problem(self, row: _Row, text: str) -> FormatError:
        return FormatError(f"{self._path}: sample {row.position}: {text}; {_ADVICE}")


def _rows(samples: Iterable[Mapping[Any, Any] | bytes], path: Path) -> Iterator[_Row]:
    keys = UniqueKeys(path)
    for position, sample in enumerate(samples):
        try:
            fields = unpacked(sample)
            keys.add(fields)
            yield _row(fields, position)
        except FormatError as error:
            raise FormatError(f"{path}: sample {position}: {error}") from error


def _row(fields: Mapping[Any, Any], position: int) -> _Row:
    values = {name: _value(name, value) for name, value in fields.items() if name != "path"}
    return _Row(position, values, frozenset(name for name, value in fields.items() if isinstance(value, np.ndarray)))


def _value(name: Any, value: Any) -> Any:
    try:
        if not isinstance(name, str):
            raise FormatError("a name must be a string")
        if _SURROGATE.search(name):
            raise FormatError("a name must be a text that UTF-8 has")
        return to_column(value)
    except FormatError as error:
        raise FormatError(f"field {printable(str(name))!r}: {error}; {_ADVICE}") from error


def _groups(rows: Iterator[_Row], size: int) -> Iterator[list[_Row]]:
    """Yield the rows by groups; where there are none, one group of none."""
    yield list(islice(rows, size))
    while group := list(islice(rows, size)):
        yield group


def _options(table: Any) -> dict[str, Any]:
    """Return how columns are written: bytes as they are, since images get no smaller, all else packed."""
    arrow, _ = libraries()
    packed = [field.name for field in table.schema if not arrow.types.is_binary(field.type)]
    compression = {field.name: "zstd" if field.name in packed else "none" for field in table.schema}
    return {"compression": compression, "use_dictionary": packed, "write_page_checksum": True}
