"""Types of a table's columns: those that were given, or those that its first rows suggest."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from leaven.data.column_types import TEXT, ColumnType
from leaven.errors import ParameterError, printable, suggestion
from leaven_plugins.datasets.column_table import plain

ALWAYS_TEXT = ("key", "_label")
"""Columns that are never taken for numbers unless a type is given."""

_INTEGER = re.compile(r"-?(0|[1-9][0-9]{0,18})")
_ANY_INTEGER = re.compile(r"[+-]?[0-9]{1,40}")
_FLOAT = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?|nan|[+-]?inf", re.IGNORECASE)
_ZEROS = re.compile(r"[+-]?0[0-9]")
_BOOLS = {"true": True, "1": True, "false": False, "0": False}

DtypeLike = Sequence[str] | Mapping[str, str] | None


def given_types(dtype: DtypeLike, header: Sequence[str], where: str) -> dict[str, ColumnType]:
    """Return the types that were given, by the names of columns.

    Raises:
        ParameterError: there is no such type, no such column, or not one type for each.
    """
    if dtype is None:
        return {}
    if not isinstance(dtype, Mapping):
        if isinstance(dtype, str) or len(dtype) != len(header):
            raise ParameterError(f"{where}: dtype={dtype!r}: expected one for each of the columns {', '.join(header)}")
        dtype = dict(zip(header, dtype, strict=True))
    for name in dtype:
        if name not in header:
            raise ParameterError(
                f"{where}: a dtype for {name!r}, which is no column{suggestion(name, header)}; there is: "
                f"{', '.join(header)}"
            )
    return {name: ColumnType.of(base) for name, base in dtype.items()}


def suggested_type(name: str, cells: Iterable[str]) -> ColumnType:
    """Return the type for a column with these cells: whole numbers, numbers, true and false, or text.

    Where some cells have commas, it is that of lists. Numbers that begin with a zero, as codes do, are text, and so are
    those that 64 bits do not hold exactly.
    """
    if name in ALWAYS_TEXT:
        return ColumnType(TEXT, False)
    cells = list(cells)
    parts = [part for cell in cells for part in cell.split(",")]
    listed = any("," in cell for cell in cells)
    if parts and all(_INTEGER.fullmatch(part) and -(1 << 63) <= int(part) < 1 << 63 for part in parts):
        return ColumnType("int64", listed)
    if parts and all(_FLOAT.fullmatch(part) and not _ZEROS.match(part) and _is_exact(part) for part in parts):
        return ColumnType("float64", listed)
    if parts and all(part in ("true", "false") for part in parts):
        return ColumnType("bool", listed)
    return ColumnType(TEXT, False)


def is_code(cell: str) -> bool:
    """Return whether a number in a cell begins with a zero, which it would lose as one."""
    return any(_ZEROS.match(part) for part in cell.split(","))


def value_of(cell: str, kind: ColumnType) -> Any:
    """Return what a cell says: a number or text; an array where its type is variable or it has commas.

    Raises:
        ValueError: it is not of this type.
    """
    if kind.base == TEXT:
        return cell.split(",") if kind.variable else cell
    if not kind.variable and "," not in cell:
        return plain(array_of([cell], kind.base)[0])
    return array_of(cell.split(",") if cell else [], kind.base)


def array_of(parts: Sequence[str], base: str) -> np.ndarray[Any, Any]:
    """Return numbers of type ``base``; raises as :func:`value_of` does."""
    parse = _parser(base)
    numbers = [parse(part.strip()) for part in parts]
    try:
        with np.errstate(over="ignore"):
            array = np.array(numbers, base)
    except OverflowError:
        raise ValueError(_over(numbers, base)) from None
    if base.startswith("float") and any(np.isinf(array) & [not math.isinf(number) for number in numbers]):
        raise ValueError(_over(numbers, base))
    return array


def _is_exact(text: str) -> bool:
    """Return whether a number that is written as a whole one is the same with the digits of a float."""
    return _ANY_INTEGER.fullmatch(text) is None or float(text) == int(text)


def _parser(base: str) -> Callable[[str], Any]:
    return _float if base.startswith("float") else _bool if base == "bool" else _integer


def _integer(text: str) -> int:
    if not _ANY_INTEGER.fullmatch(text):
        raise ValueError(f"{printable(text, 60)!r} is no whole number")
    return int(text)


def _float(text: str) -> float:
    if not _FLOAT.fullmatch(text):
        raise ValueError(f"{printable(text, 60)!r} is no number")
    return float(text)


def _bool(text: str) -> bool:
    if text.lower() not in _BOOLS:
        raise ValueError(f"{printable(text, 60)!r} is not true, false, 1 or 0")
    return _BOOLS[text.lower()]


def _over(numbers: Sequence[Any], base: str) -> str:
    return f"{printable(', '.join(map(str, numbers)), 60)} cannot be held by {base}"
