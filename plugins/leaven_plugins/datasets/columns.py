"""Values of samples as columns: what kind of column holds a value, and the bytes that stand for it there."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from leaven.errors import FormatError, ParameterError, listing, printable, suggestion

DROPPED = "path"
"""The field that is never written: where a file lies on this machine."""

NUMBER, TEXT, BYTES = "number", "text", "bytes"


class Kind(NamedTuple):
    """What every row of a column has in common.

    Attributes:
        content: ``number``, ``text`` or ``bytes``.
        dtype: of the numbers; uint8 for the others.
        ndim: dimensions of one row's array of numbers; 0 for a single one.
        listed: whether a row is a list of texts or files, rather than one.
    """

    content: str
    dtype: np.dtype[Any]
    ndim: int = 0
    listed: bool = False

    def __str__(self) -> str:
        what = str(self.dtype) if self.content == NUMBER else self.content
        if self.ndim:
            what = f"an array of {what} with {self.ndim} dimension{'s' if self.ndim > 1 else ''}"
        return f"a list of {what}" if self.listed else what


class Cell(NamedTuple):
    """One value: its kind (``None`` for an empty list, which may be of any), shape, and the bytes of its items."""

    kind: Kind | None
    shape: tuple[int, ...]
    items: list[bytes]


_NO_NAME = re.compile("[/\0\ud800-\udfff]")
_PLAIN = {bool: "bool", int: "int64", float: "float64"}
_UINT8 = np.dtype(np.uint8)


def cell(value: Any) -> Cell:
    """Return how a column holds ``value``.

    Raises:
        FormatError: it cannot: a mapping, ``None``, a list of different things, a number over 64 bits.
    """
    if isinstance(value, (list, tuple)):
        return _of_list(value)
    if isinstance(value, (str, bytes, bytearray, memoryview)):
        return Cell(Kind(TEXT if isinstance(value, str) else BYTES, _UINT8), (), [_encoded(value)])
    if type(value) in _PLAIN:
        return _of_array(_plain_array(value, _PLAIN[type(value)]))
    if isinstance(value, (np.ndarray, np.generic)):
        return _of_array(np.asarray(value))
    raise FormatError(f"{type(value).__name__} {printable(repr(value), 60)} is nothing that a column can hold")


def fields_of(sample: Mapping[Any, Any]) -> dict[str, Any]:
    """Return what is written of a sample.

    Raises:
        FormatError: a field's name is not a string.
    """
    for name in sample:
        if not isinstance(name, str) or name in ("", ".") or _NO_NAME.search(name):
            raise FormatError(f"its field {printable(repr(name), 60)} cannot be the name of a column")
    return {name: value for name, value in sample.items() if name != DROPPED}


def chosen(columns: Mapping[str, str] | Sequence[str] | None, existing: Sequence[str], where: str) -> dict[str, str]:
    """Return the columns that are asked for: from the name of a field to that of a column.

    Raises:
        FormatError: one does not exist; ``where`` is what has the ``existing`` ones.
    """
    if columns is None:
        return {name: name for name in existing}
    asked = dict(columns) if isinstance(columns, Mapping) else {name: name for name in columns}
    for name in asked.values():
        if name not in existing:
            raise FormatError(f"{where}: no column {name!r}{suggestion(name, existing)}; there is: {listing(existing)}")
    return asked


def check_columns(columns: object) -> None:
    """Raise a :class:`~leaven.errors.ParameterError` where ``columns`` is neither a list nor a mapping of names."""
    names = [*columns, *columns.values()] if isinstance(columns, Mapping) else columns
    if names is None or (isinstance(names, (list, tuple)) and names and all(isinstance(name, str) for name in names)):
        return
    raise ParameterError(f"columns must be a list of names, or a mapping from fields to names, not {columns!r}")


def _of_list(values: Sequence[Any]) -> Cell:
    if not values:
        return Cell(None, (0,), [])
    for content, types in ((BYTES, (bytes, bytearray, memoryview)), (TEXT, (str,))):
        if all(isinstance(value, types) for value in values):
            return Cell(Kind(content, _UINT8, listed=True), (len(values),), [_encoded(value) for value in values])
    known = _PLAIN.get(type(values[0]))
    if known and all(type(value) is type(values[0]) for value in values):
        return _of_array(_plain_array(values, known))
    try:
        array = np.asarray(values)
    except ValueError:
        array = np.asarray(None)
    if array.dtype.kind not in "biuf" or any(isinstance(value, bool) for value in values):
        raise FormatError(f"a list of different things cannot be in a column: {printable(repr(values), 60)}")
    if array.ndim == 1 and any(type(value) is int and value != array.item(n) for n, value in enumerate(values)):
        raise FormatError(f"float64 has not all digits of a whole number in {printable(repr(values), 60)}")
    return _of_array(array)


def _of_array(array: NDArray[Any]) -> Cell:
    if array.dtype.kind == "U" and array.ndim <= 1:
        return cell(array.tolist())
    if array.dtype.kind not in "biuf" or array.dtype.itemsize > 8:
        raise FormatError(f"an array of {array.dtype} cannot be in a column, only numbers of up to 64 bits")
    native = np.ascontiguousarray(array, array.dtype.newbyteorder("<")).reshape(array.shape)
    return Cell(Kind(NUMBER, native.dtype, native.ndim), native.shape, [native.tobytes()])


def _plain_array(value: Any, dtype: str) -> NDArray[Any]:
    try:
        return np.asarray(value, dtype)
    except OverflowError:
        raise FormatError(f"{printable(repr(value), 60)} has more than 64 bits with its sign") from None


def _encoded(value: str | bytes | bytearray | memoryview) -> bytes:
    if not isinstance(value, str):
        return bytes(value)
    try:
        return value.encode()
    except UnicodeEncodeError as error:
        raise FormatError(f"{printable(repr(value), 60)} cannot be written as UTF-8: {error.reason}") from error
