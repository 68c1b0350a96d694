"""Arrays of any dtype of a fixed size as plain data, or as shared memory that both sides map."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leaven.errors import ParameterError
from leaven.stream.dtypes import dtype_from_plain, dtype_to_plain
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
