"""Dtypes as plain data, whatever they are made of; sizes and shapes that are whole numbers."""

from __future__ import annotations

from operator import index
from typing import Any

import numpy as np
from numpy.lib.format import descr_to_dtype, dtype_to_descr

from leaven.errors import ParameterError


def dtype_to_plain(dtype: np.dtype[Any]) -> Any:
    """Return the dtype as strings, lists and numbers."""
    return _as_lists(dtype_to_descr(dtype))


def dtype_from_plain(plain: Any) -> np.dtype[Any]:
    """Return the dtype that :func:`dtype_to_plain` wrote.

    Raises:
        TypeError: it is none.
    """
    dtype: np.dtype[Any] = descr_to_dtype(_as_tuples(plain))
    if dtype.hasobject:
        raise TypeError("a dtype of objects")
    return dtype


def sizes_of(shape: Any, where: str) -> tuple[int, ...]:
    """Return a shape, or the one size that it has, as a tuple.

    Raises:
        ParameterError: it is no shape.
    """
    try:
        sizes = (index(shape),) if hasattr(shape, "__index__") and not np.ndim(shape) else tuple(map(index, shape))
    except TypeError as error:
        raise ParameterError(f"{where}: shape {shape!r}: {error}") from error
    if any(size < 0 for size in sizes):
        raise ParameterError(f"{where}: shape {shape!r}: negative size")
    return sizes


def whole(value: Any, where: str) -> int:
    """Return a whole number, which may be one of numpy's.

    Raises:
        ParameterError: it is none.
    """
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise ParameterError(f"{where}={value!r}: expected a whole number")
    return index(value)


def _as_lists(descr: Any) -> Any:
    return [_as_lists(part) for part in descr] if isinstance(descr, (list, tuple)) else descr


def _as_tuples(plain: Any) -> Any:
    """A dtype is a string, a list of fields (each a tuple), or a tuple of a dtype and a shape."""
    if not isinstance(plain, list):
        return plain
    if len(plain) == 2 and isinstance(plain[1], list) and all(isinstance(size, int) for size in plain[1]):
        return _as_tuples(plain[0]), tuple(plain[1])
    return [_field(*field) for field in plain]


def _field(name: Any, dtype: Any, *shape: Any) -> tuple[Any, ...]:
    name = tuple(name) if isinstance(name, list) else name  # a title and a name
    return (name, _as_tuples(dtype), *(tuple(sizes) for sizes in shape))
