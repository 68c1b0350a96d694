"""Columns in a .npz file: arrays with a row for each sample, and those of variable length in two or three arrays.

``NAME.offsets`` says where each row of ``NAME.bytes`` (encoded files), ``NAME.text`` (UTF-8) or ``NAME.values``
(numbers) begins and ends; ``NAME.frames`` how many of these are in each row, where it has a list of them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leaven.errors import FormatError
from leaven_plugins.datasets.column_table import (
    ChannelsLast,
    Listed,
    ReadColumn,
    Table,
    has_channels_first,
    plain,
    starts_of,
)
from leaven_plugins.datasets.columns import BYTES, NUMBER, TEXT, chosen
from leaven_plugins.datasets.npz.archive import Archive, Member

OFFSETS, FRAMES, NAMES = ".offsets", ".frames", "class_names"
ENDS = {NUMBER: ".values", TEXT: ".text", BYTES: ".bytes"}
"""What the name of the array ends in that has the values of a variable column."""


def table_of(archive: Archive, columns: Mapping[str, str] | Sequence[str] | None) -> Table:
    """Return the columns of a file; ``columns`` chooses among them.

    Raises:
        FormatError: one does not exist, or is not laid out as it has to be.
    """
    members, path = archive.members, archive.file.path
    existing = [_column_name(name) for name in members if _column_name(name)]
    found = chosen(columns, list(dict.fromkeys(existing)), str(path))
    if not found:
        raise FormatError(f"{path}: no arrays in it")
    return Table(path, {field: _column(members, name, field) for field, name in found.items()})


def class_names(archive: Archive) -> tuple[str, ...]:
    """Return the texts in the array ``class_names``, or none where there is no such."""
    return tuple(ArrayColumn(archive.members[NAMES]).all()) if NAMES in archive.members else ()


def members_of(column: str) -> set[str]:
    """Return the names that the arrays of a column may have."""
    return {column, column + OFFSETS, column + FRAMES, *(column + end for end in ENDS.values())}


def _column_name(member: str) -> str:
    """Return the column to which an array belongs; ``""`` for those that say something of other arrays."""
    if member == NAMES or member.endswith((OFFSETS, FRAMES)):
        return ""
    end = next((end for end in ENDS.values() if member.endswith(end)), "")
    return member.removesuffix(end)


def _column(members: Mapping[str, Member], name: str, field: str) -> ReadColumn:
    if name in members:
        column = ArrayColumn(members[name])
        return ChannelsLast(column) if field == "image" and has_channels_first(column.row_shape) else column
    content, flat = next((content, members[name + end]) for content, end in ENDS.items() if name + end in members)
    offsets = _offsets(members, name, flat)
    items = VariableColumn(flat, content, offsets)
    if name + FRAMES not in members:
        return items
    counts = ArrayColumn(members[name + FRAMES])
    return Listed(items, starts_of(counts.all(), len(items), counts.member.where))


def _offsets(members: Mapping[str, Member], name: str, flat: Member) -> NDArray[np.int64]:
    """Return where rows begin and end.

    Raises:
        FormatError: they are missing, out of order, or beyond the end.
    """
    if name + OFFSETS not in members:
        raise FormatError(f"{flat.where}: no {name + OFFSETS!r} beside it, which says where its rows begin")
    member = members[name + OFFSETS]
    count = math.prod(flat.head.shape)
    offsets: NDArray[Any] = np.asarray(ArrayColumn(member).all())
    if offsets.ndim != 1 or offsets.dtype.kind not in "iu" or not len(offsets):
        raise FormatError(f"{member.where}: expected whole numbers, one more than rows")
    if offsets[0] != 0 or offsets[-1] != count or np.any(offsets[1:] < offsets[:-1]):
        raise FormatError(f"{member.where}: expected numbers that rise from 0 to {count}")
    if len(flat.head.shape) != 1 or flat.head.dtype.kind not in "biuf":
        raise FormatError(f"{flat.where}: expected numbers in one dimension")
    return offsets.astype(np.int64)


@dataclass(frozen=True)
class ArrayColumn:
    """An array whose first dimension are the rows.

    Raises:
        FormatError: it has no dimension.
    """

    member: Member

    def __post_init__(self) -> None:
        head = self.member.head
        if not head.shape:
            raise FormatError(f"{self.member.where}: a single value, where a row for each sample is expected")
        if not math.prod(self.row_shape) and head.shape[0] > self.member.file.size:
            raise FormatError(f"{self.member.where}: {head.shape[0]} rows of nothing")

    def __len__(self) -> int:
        return self.member.head.shape[0]

    @property
    def row_shape(self) -> tuple[int, ...]:
        """The shape of one row."""
        return self.member.head.shape[1:]

    def row(self, index: int) -> Any:
        """Return a number, a text or an array."""
        if self.member.head.fortran and self.row_shape:
            return self.all()[index].copy()
        size = math.prod(self.row_shape)
        values = self.member.values(index * size, (index + 1) * size)
        return values.reshape(self.row_shape).copy() if self.row_shape else _one(values[0], self.member)

    def all(self) -> Any:
        """Return the array, or a list of texts."""
        head = self.member.head
        array = self.member.values(0, math.prod(head.shape)).reshape(head.shape, order="F" if head.fortran else "C")
        return [_one(value, self.member) for value in array] if head.dtype.kind in "SU" else array


@dataclass(frozen=True)
class VariableColumn:
    """Rows of any length: files, texts, or arrays of numbers."""

    member: Member
    content: str
    offsets: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def row(self, index: int) -> Any:
        """Return bytes, a text or an array."""
        values = self.member.values(int(self.offsets[index]), int(self.offsets[index + 1]))
        if self.content == NUMBER:
            return values.copy()
        return values.tobytes() if self.content == BYTES else _decoded(values.tobytes(), self.member)

    def all(self) -> list[Any]:
        """Return what is in all rows."""
        return [self.row(index) for index in range(len(self))]


def _one(value: Any, member: Member) -> Any:
    if member.head.dtype.kind not in "SU":
        return plain(value)
    try:
        text = value.item()
    except (ValueError, SystemError) as error:  # numbers that are no characters
        raise FormatError(f"{member.where}: text that is none: {error}") from error
    return _decoded(text, member) if isinstance(text, bytes) else text


def _decoded(text: bytes, member: Member) -> str:
    try:
        return text.decode()
    except UnicodeDecodeError as error:
        raise FormatError(f"{member.where}: text that is not UTF-8: {error}") from error
