"""A table: columns of one length, read as samples and by field."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from leaven.errors import FormatError, listing, printable
from leaven_plugins.datasets.positions import checked

_CHANNELS = (1, 3, 4)
_PLAIN = ("int64", "float64", "bool")


class ReadColumn(Protocol):
    """A column of a file that is open."""

    def __len__(self) -> int:
        """Return the number of rows."""

    def row(self, index: int) -> Any:
        """Return what is in row ``0 <= index < len``."""

    def all(self) -> Any:
        """Return an array of all rows, or a list where these are no numbers, or differ in length."""


@dataclass(frozen=True)
class Table:
    """Columns of a file at ``path``, and the field that each is read as.

    Raises:
        FormatError: there are none, or their lengths differ.
    """

    path: Path
    columns: Mapping[str, ReadColumn]

    def __post_init__(self) -> None:
        lengths = {name: len(column) for name, column in self.columns.items()}
        if len(set(lengths.values())) != 1:
            found = listing(f"{name} ({length})" for name, length in lengths.items())
            raise FormatError(
                f"{self.path}: expected columns of one length, there is: {found}; columns=[...] chooses some of them"
            )

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))

    def position(self, index: int) -> int:
        """Return a position from 0 on; negative ones count from the end.

        Raises:
            IndexError: there is no such sample.
        """
        return checked(index, len(self), self.path)

    def sample(self, index: int) -> dict[str, Any]:
        """Return the fields of a sample, ``key`` among them."""
        position = self.position(index)
        return {"key": self.key(position)} | {
            name: column.row(position) for name, column in self.columns.items() if name != "key"
        }

    def key(self, index: int) -> str:
        """Return what is in the column ``key``, or the row's number.

        Raises:
            IndexError: there is no such sample.
            FormatError: it is neither text nor a whole number.
        """
        position = self.position(index)
        if "key" not in self.columns:
            return str(position)
        value = self.columns["key"].row(position)
        if isinstance(value, (bool, np.bool_)) or not isinstance(value, (str, int, np.integer)):
            text = printable(repr(value), 60)
            raise FormatError(f"{self.path}: row {position}: its key {text} is neither text nor a whole number")
        return str(value)

    def getter(self, attribute: str) -> Callable[..., Any]:
        """Return ``getitem_NAME`` or ``getall_NAME`` of a column.

        Raises:
            AttributeError: there is no such column.
        """
        verb, _, name = attribute.partition("_")
        column = self.columns.get(name)
        if column is None:
            raise AttributeError(f"{self.path}: no column {name!r}; there is: {listing(self.columns)}")
        if verb == "getall":
            return column.all
        return lambda index, ctx=None: column.row(self.position(index))


def plain(value: Any) -> Any:
    """Return a single number as one of Python where that has the same type, so that nothing is lost on the way."""
    return value.item() if isinstance(value, np.generic) and value.dtype.name in _PLAIN else value


def native(array: NDArray[Any]) -> NDArray[Any]:
    """Return an array in the byte order of this machine: torch takes no other."""
    return array if array.dtype.isnative else array.astype(array.dtype.newbyteorder("="))


@dataclass(frozen=True)
class Listed:
    """A column whose rows are lists of another one's items: row ``i`` has ``starts[i]`` to ``starts[i + 1]``."""

    items: ReadColumn
    starts: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.starts) - 1

    def row(self, index: int) -> list[Any]:
        """Return the items of a row."""
        return [self.items.row(n) for n in range(self.starts[index], self.starts[index + 1])]

    def all(self) -> list[list[Any]]:
        """Return those of all rows."""
        return [self.row(index) for index in range(len(self))]


@dataclass(frozen=True)
class ChannelsLast:
    """Images ``(channels, height, width)`` as ``(height, width, channels)``."""

    images: ReadColumn

    def __len__(self) -> int:
        return len(self.images)

    def row(self, index: int) -> Any:
        """Return an image."""
        return np.ascontiguousarray(np.moveaxis(self.images.row(index), 0, -1))

    def all(self) -> Any:
        """Return all of them."""
        return np.moveaxis(self.images.all(), 1, -1)


def has_channels_first(shape: Sequence[int]) -> bool:
    """Return whether a shape can only be ``(channels, height, width)``: the first number is 1, 3 or 4, the last not."""
    return len(shape) == 3 and shape[0] in _CHANNELS and shape[2] not in _CHANNELS


def starts_of(counts: NDArray[Any], items: int, where: str) -> NDArray[np.int64]:
    """Return where each row's items begin, from how many it has.

    Raises:
        FormatError: they are no counts, or other than ``items`` in all.
    """
    if (
        counts.ndim != 1
        or counts.dtype.kind not in "iu"
        or (counts.size and (counts.min() < 0 or counts.max() > items))
    ):
        raise FormatError(f"{where}: expected one whole number for each row, from 0 to {items}")
    starts = np.concatenate([[0], np.cumsum(counts, dtype=np.int64)])
    if starts[-1] != items:
        raise FormatError(f"{where}: counts {starts[-1]} items, there are {items}")
    return starts
