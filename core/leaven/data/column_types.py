"""Types of columns by name: ``int64``, ``str``, and ``vuint8`` for as many values as there are in a row."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from leaven.errors import ParameterError, suggestion

NUMBERS = (
    "uint8",
    "uint16",
    "uint32",
    "uint64",
    "int8",
    "int16",
    "int32",
    "int64",
    "float16",
    "float32",
    "float64",
    "bool",
)
TEXT = "str"


class ColumnType(NamedTuple):
    """What a column holds: ``base`` is one of ``NUMBERS`` or ``"str"``; of ``variable`` ones a row has any number."""

    base: str
    variable: bool

    @classmethod
    def of(cls, name: str) -> ColumnType:
        """Return the type with this name.

        Raises:
            ParameterError: there is none.
        """
        known = (*NUMBERS, TEXT)
        if isinstance(name, str) and name.removeprefix("v") in known:
            return cls(name.removeprefix("v"), name.startswith("v"))
        hint = suggestion(name, known) if isinstance(name, str) else ""
        raise ParameterError(f"no type {name!r}{hint}; there is: {', '.join(known)}, and each with v in front")

    def converted(self, value: Any) -> Any:
        """Return a value of this type: a string, a number of numpy, or an array of numbers or list of strings.

        Bytes stand for an array of uint8, or for text in UTF-8. Nothing is changed on the way: a number that the type
        cannot hold is an error, but for the last digits of floating point numbers.

        Raises:
            ValueError: the type cannot hold it.
        """
        if self.base == TEXT:
            return _texts(value) if self.variable else _text(value)
        given = np.frombuffer(value, np.uint8) if isinstance(value, (bytes, bytearray)) else np.asarray(value)
        if given.dtype.kind not in "biuf" and given.size:
            raise ValueError(f"{given.dtype} is no number")
        with np.errstate(over="ignore", invalid="ignore"):
            array = given.astype(self.base)
        if not _same(given, array):
            raise ValueError(f"{self.base} cannot hold it")
        return array.reshape(-1) if self.variable else array[()]


def _text(value: Any) -> str:
    if value is None:
        raise ValueError("there is none")
    return value.decode() if isinstance(value, (bytes, bytearray)) else str(value)


def _texts(value: Any) -> list[str]:
    if isinstance(value, (str, bytes, bytearray)):
        raise ValueError("a single text instead of a row of them")
    return [_text(part) for part in value]


def _same(given: np.ndarray[Any, Any], array: np.ndarray[Any, Any]) -> bool:
    """Return whether two arrays hold the same numbers, as far as floating point ones can."""
    if array.dtype.kind == "f":
        return bool(np.array_equal(np.isinf(given), np.isinf(array)))
    return bool(np.array_equal(given, array)) and not (given.dtype.kind == "u" and np.any(array < 0))
