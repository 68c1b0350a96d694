"""Arrays of any dtype of a fixed size as plain data, or as shared memory that both sides map."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np
from numpy.lib.format import descr_to_dtype, dtype_to_descr
from numpy.typing import NDArray

from leaven.errors import ParameterError
from leaven.stream.shared import attach_array, descriptor_of, shared_array


def fixed_dtype(dtype: Any, where: str) -> np.dtype[Any]:
    """Return the dtype that is meant.

    Raises:
        ParameterError: there is none, or its values have no fixed size.
    """
    try:
        found: np.dtype[Any] = np.dtype(dtype)
    except (TypeError, ValueError) as error:
        raise ParameterError(f"{where}: dtype {dtype!r}: {error}") from error
    if found.hasobject or not found.itemsize:
        raise ParameterError(f"{where}: dtype {found}: expected one whose values have a fixed size")
    return found


def sizes_of(shape: Any, where: str) -> tuple[int, ...]:
    """Return a shape as a tuple.

    Raises:
        ParameterError: it is no shape.
    """
    try:
        sizes = tuple(int(size) for size in ((shape,) if isinstance(shape, int) else shape))
    except (TypeError, ValueError) as error:
        raise ParameterError(f"{where}: shape {shape!r}: {error}") from error
    if any(size < 0 for size in sizes):
        raise ParameterError(f"{where}: shape {shape!r}: negative size")
    return sizes


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


def array_to_plain(array: NDArray[Any]) -> list[Any]:
    """Return an array by value: dtype, shape, bytes."""
    return [dtype_to_plain(array.dtype), list(array.shape), array.tobytes()]


def array_from_plain(plain: Sequence[Any]) -> NDArray[Any]:
    """Return the array that :func:`array_to_plain` wrote, as a writable copy.

    Raises:
        ValueError: the bytes are not what dtype and shape promise.
    """
    dtype, shape, data = dtype_from_plain(plain[0]), tuple(plain[1]), plain[2]
    if prod(shape) * dtype.itemsize != len(data):
        raise ValueError(f"array of shape {shape} and dtype {dtype} in {len(data)} bytes")
    return np.ndarray(shape, dtype, data).copy()


def shared_zeros(shape: Sequence[int], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Return an array of zeros in shared memory, of any dtype of a fixed size.

    Raises:
        WorkerError: there is not enough memory.
    """
    raw = shared_array(prod(shape) * dtype.itemsize, "uint8")
    return raw.view(dtype).reshape(shape)


def shared_to_plain(array: NDArray[Any]) -> list[Any]:
    """Return an array that :func:`shared_zeros` made by reference; it is to live until the other side has opened it."""
    raw = array.reshape(-1).view(np.uint8)
    return [dtype_to_plain(array.dtype), list(array.shape), descriptor_of(raw)]


def shared_from_plain(plain: Sequence[Any]) -> NDArray[Any]:
    """Return the same memory as an array.

    Raises:
        WorkerError: it has been given back.
        ProtocolError: it is no descriptor.
    """
    return attach_array(plain[2]).view(dtype_from_plain(plain[0])).reshape(plain[1])


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
