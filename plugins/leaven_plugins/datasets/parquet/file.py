"""Reading a Parquet file by groups of rows. Everything that pyarrow raises becomes an error of ours."""

from __future__ import annotations

import threading
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import accumulate
from pathlib import Path
from typing import Any

from leaven.errors import DatasetError, FormatError, MissingPackageError, listing, printable, suggestion
from leaven_plugins.datasets.open_file import OpenFile

KEPT = 4
"""How many groups of rows are kept once they are decoded; a shuffled order needs more of them than fit anyway."""

_LARGEST, _MOST_ROWS = 1 << 32, 1 << 26  # bytes and rows of a group; pyarrow writes no more rows
_TEXT, _ITEMS = 1 << 26, 1 << 22  # what the head may hold; it is made of before anything else is checked


def libraries() -> tuple[Any, Any]:
    """Return ``pyarrow`` and ``pyarrow.parquet``.

    Raises:
        MissingPackageError: they are not installed.
    """
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError as error:
        text = "dataset:parquet needs pyarrow: pip install 'leaven[parquet]'"
        raise MissingPackageError(text, name="pyarrow") from error
    return pyarrow, parquet


@contextmanager
def arrow_errors_named(path: Path) -> Iterator[None]:
    """Context in which errors of pyarrow become a :class:`~leaven.errors.FormatError` that names ``path``."""
    try:
        yield
    except (DatasetError, MissingPackageError):
        raise
    except Exception as error:  # ArrowInvalid, ArrowNotImplementedError, OSError, ...
        text = f"{type(error).__name__}: {error}"
        raise FormatError(f"{path}: not a Parquet file that can be read: {printable(text, 300)}") from error


class ParquetFile:
    """An open Parquet file; threads may share it.

    Args:
        path: the file.
        columns: those that are read; all by default.

    Raises:
        DatasetError: it cannot be opened.
        FormatError: it is damaged, lacks a column, or has groups of rows that no machine holds.
    """

    def __init__(self, path: Path, columns: Sequence[str] | None = None) -> None:
        OpenFile(path).close()  # for its errors
        arrow, parquet = libraries()
        self._path = path
        self._lock = threading.Lock()  # one reader is not for several threads at once
        self._groups: OrderedDict[int, Any] = OrderedDict()
        with arrow_errors_named(path):
            self._source = arrow.OSFile(str(path))
            self._file = parquet.ParquetFile(
                self._source,
                thrift_string_size_limit=_TEXT,
                thrift_container_size_limit=_ITEMS,
                page_checksum_verification=True,
            )
            self.schema = self._file.schema_arrow
            groups = [self._file.metadata.row_group(n) for n in range(self._file.metadata.num_row_groups)]
            self._check_sizes([group.total_byte_size for group in groups], [group.num_rows for group in groups])
            self._ends = list(accumulate(group.num_rows for group in groups))
        self.columns = self._chosen(columns)

    def __len__(self) -> int:
        return self._ends[-1] if self._ends else 0

    def row(self, position: int) -> Any:
        """Return one row as a table of pyarrow."""
        number = bisect_right(self._ends, position)
        start = self._ends[number - 1] if number else 0
        return self._group(number).slice(position - start, 1)

    def column(self, name: str) -> Any:
        """Return one column as an array of pyarrow; no other one is read."""
        with self._lock, arrow_errors_named(self._path):
            column = self._file.read(columns=[name], use_threads=False).column(name).combine_chunks()
        if len(column) != len(self):
            raise FormatError(f"{self._path}: column {name!r} has {len(column)} rows instead of {len(self)}")
        return column

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._groups.clear()
            self._file.close()
            self._source.close()

    def _group(self, number: int) -> Any:
        with self._lock, arrow_errors_named(self._path):
            if number in self._groups:
                self._groups.move_to_end(number)
                return self._groups[number]
            table = self._file.read_row_group(number, columns=self.columns, use_threads=False)
            expected = self._ends[number] - (self._ends[number - 1] if number else 0)
            if table.num_rows != expected:
                raise FormatError(f"{self._path}: row group {number} has {table.num_rows} rows instead of {expected}")
            self._groups[number] = table
            while len(self._groups) > KEPT:
                self._groups.popitem(last=False)
            return table

    def _check_sizes(self, sizes: Sequence[int], rows: Sequence[int]) -> None:
        for number, (size, count) in enumerate(zip(sizes, rows, strict=True)):
            if not 0 <= size <= _LARGEST or not 0 <= count <= _MOST_ROWS:
                raise FormatError(f"{self._path}: row group {number} would be {count} rows of {size} bytes in all")

    def _chosen(self, columns: Sequence[str] | None) -> list[str]:
        names = list(self.schema.names)
        twice = {name for name in names if names.count(name) > 1}
        if twice:
            raise FormatError(f"{self._path}: several columns are called {listing(twice)}")
        for name in columns or ():
            if name not in names:
                raise FormatError(f"{self._path}: no column {name!r}{suggestion(name, names)}; has: {listing(names)}")
        return names if columns is None else [name for name in names if name in columns or name == "key"]
