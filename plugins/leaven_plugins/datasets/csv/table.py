"""A table that is open: rows, the types of its columns, and which of them names files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import cached_property
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np

from leaven.data.column_types import TEXT, ColumnType
from leaven.errors import DatasetError, FormatError, ParameterError, listing, printable, suggestion
from leaven_plugins.datasets.csv.files import path_below, read_below
from leaven_plugins.datasets.csv.rows import Rows
from leaven_plugins.datasets.csv.types import DtypeLike, array_of, given_types, is_code, suggested_type, value_of
from leaven_plugins.datasets.positions import checked

AUTO = "auto"
_ROWS_SEEN = 1000
_SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".gif", ".webp", ".tif", ".tiff")


class CsvTable:
    """The rows of a file as samples.

    Args:
        path: the file.
        files_dir: where the files are that it names.
        dtype: the types of its columns.
        image: the column that names files, ``"auto"`` for the first if it does, or ``None``.
        sequence: whether a cell of that column has several names, with commas between.
    """

    def __init__(self, path: Path, files_dir: Path, dtype: DtypeLike, image: str | None, sequence: bool) -> None:
        self._path = path
        self._files_dir = files_dir
        self._sequence = sequence
        self.rows = Rows(path)
        try:
            self._given = given_types(dtype, self.rows.header, str(path))
            self.image = self._image(image)
        except BaseException:
            self.rows.close()
            raise

    def close(self) -> None:
        """Close the table's file."""
        self.rows.close()

    def __len__(self) -> int:
        return len(self.rows)

    def sample(self, index: int) -> dict[str, Any]:
        """Return ``key``, ``image`` if there are files, and the other columns by their names."""
        row = self._position(index)
        cells = self.rows.cells(row)
        sample = {"key": self._key(row, cells)}
        for column, name in enumerate(self.rows.header):
            if name != "key":
                sample["image" if name == self.image else name] = self._value(row, column, cells[column])
        return sample

    def key(self, index: int) -> str:
        """Return what is in the column ``key``, else the name of the file, or the row's number if one comes twice."""
        row = self._position(index)
        return self._key(row, self.rows.cells(row))

    def getter(self, attribute: str) -> Callable[..., Any]:
        """Return ``getitem_NAME`` or ``getall_NAME`` of a column; raise ``AttributeError`` where there is none."""
        verb, _, name = attribute.partition("_")
        source = self.image if name == "image" and self.image else name
        if source not in self.rows.header:
            raise AttributeError(f"{self._path}: no column {name!r}; there is: {listing(self.rows.header)}")
        column = self.rows.header.index(source)
        if verb == "getall":
            return lambda: self._all(column)
        return lambda index, ctx=None: self._one(self._position(index), column)

    def _position(self, index: int) -> int:
        return checked(index, len(self), self._path)

    def _one(self, row: int, column: int) -> Any:
        return self._value(row, column, self.rows.cells(row)[column])

    def _all(self, column: int) -> Any:
        cells = [row[column] for row in self.rows]
        name, kind = self.rows.header[column], self._types[self.rows.header[column]]
        if name != self.image and kind.base != TEXT and not kind.variable and not any("," in cell for cell in cells):
            with suppress(ValueError):  # told below, with its place
                self._check_codes(name, cells)
                return array_of(cells, kind.base)
        return [self._value(row, column, cell) for row, cell in enumerate(cells)]

    def _value(self, row: int, column: int, cell: str) -> Any:
        name = self.rows.header[column]
        if name == self.image:
            return self._content(row, cell)
        try:
            self._check_codes(name, [cell])
            return value_of(cell, self._types[name])
        except ValueError as error:
            how = "" if name in self._given else "; dtype={...} says of what type a column is"
            raise FormatError(f"{self.rows.place(row)}: column {name!r}: {error}{how}") from error

    def _check_codes(self, name: str, cells: Sequence[str]) -> None:
        """Raise a ``ValueError`` for a code in a column that was taken for one of numbers by its first rows."""
        if name in self._given or self._types[name].base == TEXT:
            return
        code = next((cell for cell in cells if is_code(cell)), None)
        if code is not None:
            raise ValueError(f"{printable(code, 60)!r} begins with a zero, where no number in the first rows does")

    def _content(self, row: int, cell: str) -> Any:
        """Return what is in the file that a cell names, or in all of them."""
        if not self._sequence:
            return self._read(row, cell)
        return [self._read(row, name.strip()) for name in cell.split(",")]

    def _read(self, row: int, name: str) -> bytes:
        try:
            return read_below(self._files_dir, name, f"column {self.image!r}")
        except DatasetError as error:
            raise type(error)(f"{self.rows.place(row)}: {error}") from error

    def _key(self, row: int, cells: Sequence[str]) -> str:
        if "key" in self.rows.header:
            return cells[self.rows.header.index("key")]
        if self.image is None or not self._names_are_unique:
            return str(row)
        return cells[self.rows.header.index(self.image)]

    @cached_property
    def _names_are_unique(self) -> bool:
        """Whether no file is named by two rows. Takes 2 us for each row, once."""
        column = self.rows.header.index(str(self.image))
        digests = b"".join(blake2b(cells[column].encode(), digest_size=8).digest() for cells in self.rows)
        return len(np.unique(np.frombuffer(digests, np.uint64))) == len(self)

    @cached_property
    def _types(self) -> dict[str, ColumnType]:
        rows = [self.rows.cells(row) for row in range(min(len(self), _ROWS_SEEN))]
        return {
            name: self._given.get(name) or suggested_type(name, [cells[column] for cells in rows])
            for column, name in enumerate(self.rows.header)
        }

    def _image(self, asked: str | None) -> str | None:
        header = self.rows.header
        if asked == AUTO:
            asked = header[0] if self._first_names_files() else None
        elif asked is not None and asked not in header:
            raise ParameterError(
                f"{self._path}: no column {asked!r}{suggestion(asked, header)}; there is: {listing(header)}"
            )
        if asked not in (None, "image") and "image" in header:
            raise ParameterError(
                f"{self._path}: column {asked!r} is read as 'image', but there is such a column as well"
            )
        return asked

    def _first_names_files(self) -> bool:
        """Whether the first cell names a file: one that exists, or the suffix of an image."""
        if not len(self) or self.rows.header[0] == "key":
            return False
        name = self.rows.cells(0)[0].split(",")[0].strip() if self._sequence else self.rows.cells(0)[0]
        if name.lower().endswith(_SUFFIXES) or self._sequence:
            return True
        try:
            return path_below(self._files_dir, name, "").is_file()
        except (DatasetError, OSError):
            return False
