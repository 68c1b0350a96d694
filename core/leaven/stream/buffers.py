"""BufferSpec: what one row of one of a batch's arrays looks like."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import prod
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from leaven.errors import ParameterError

SpecLike = Any
"""What :func:`buffer_spec` accepts."""


class BufferSpec(NamedTuple):
    """One array of a batch.

    ``shape`` and ``dtype`` are those of a single row; ``fill`` broadcasts against a batch of rows, ``(1, ...)``.
    ``None``: rows are not filled before the worker gets them, since it writes all of each; those nobody makes are 0.
    """

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    fill: NDArray[Any] | None

    @property
    def row_bytes(self) -> int:
        """Size of one row in bytes."""
        return prod(self.shape) * self.dtype.itemsize

    def allocate(self, rows: int) -> NDArray[Any]:
        """Return a new array of ``rows`` rows, filled."""
        array = np.empty((rows, *self.shape), self.dtype)
        if self.fill is not None:
            array[...] = self.fill
        return array

    def clear(self, rows: NDArray[Any]) -> None:
        """Make rows of the array what they are when nobody makes them."""
        rows[...] = 0 if self.fill is None else self.fill


def buffer_spec(spec: SpecLike) -> BufferSpec:
    """Return the spec that is meant by ``spec``.

    Args:
        spec: a :class:`BufferSpec`; ``(shape, dtype)`` or ``(shape, dtype, fill)``, where ``fill`` is a scalar or one
            value for each entry of the first axis, or ``None`` for workers that write all of each row; a table
            ``{"shape": ..., "dtype": ..., "fill": ...}``; or an example array, whose values are what an unfilled row
            holds (an axis along which they are constant is kept once).

    Raises:
        ParameterError: it is none of these, or has an object dtype.
    """
    if isinstance(spec, BufferSpec):
        return spec
    if isinstance(spec, np.ndarray):
        return BufferSpec(spec.shape, _plain_dtype(spec.dtype), _collapse(spec))
    shape, dtype, fill = _parts(spec)
    try:
        sizes = tuple(int(n) for n in ([shape] if isinstance(shape, int) else shape))
        plain = _plain_dtype(np.dtype(dtype))
    except (TypeError, ValueError) as error:
        raise ParameterError(f"buffer spec {spec!r}: {error}") from error
    if any(n < 0 for n in sizes):
        raise ParameterError(f"buffer spec {spec!r}: negative size")
    return BufferSpec(sizes, plain, None if fill is None else make_fill_value(sizes, plain, fill))


def make_fill_value(shape: tuple[int, ...], dtype: Any, fill: Any = 0) -> NDArray[Any]:
    """Return ``fill`` as an array that broadcasts against a batch of rows of this shape.

    A scalar becomes ``(1, 1, ..., 1)``; an iterable of shape ``s`` becomes ``(1, *s, 1, ..., 1)``, so that one value
    for each channel fills a ``(channels, height, width)`` row.
    """
    values = np.asarray(fill, dtype=dtype)
    values = values.reshape((1, *values.shape) + (1,) * (len(shape) - values.ndim))
    try:
        np.broadcast_shapes(values.shape, (1, *shape))
    except ValueError:
        raise ParameterError(f"fill value of shape {values.shape[1:]} does not fit rows of shape {shape}") from None
    return values


def _parts(spec: Any) -> tuple[Any, Any, Any]:
    if isinstance(spec, Mapping):
        unknown = set(spec) - {"shape", "dtype", "fill"}
        if unknown or not {"shape", "dtype"} <= set(spec):
            raise ParameterError(f"buffer spec {dict(spec)!r}: a table has the keys shape, dtype and, if wanted, fill")
        return spec["shape"], spec["dtype"], spec.get("fill", 0)
    if isinstance(spec, Iterable) and not isinstance(spec, (str, bytes)):
        parts = tuple(spec)
        if len(parts) in (2, 3):
            return parts[0], parts[1], parts[2] if len(parts) == 3 else 0
    raise ParameterError(
        f"buffer spec {spec!r}: expected (shape, dtype[, fill]), a table {{shape, dtype, fill}} or an example array"
    )


def _plain_dtype(dtype: np.dtype[Any]) -> np.dtype[Any]:
    if dtype.hasobject:
        raise ParameterError(f"buffer dtype {dtype}: objects cannot lie in shared memory")
    return dtype


def _collapse(example: NDArray[Any]) -> NDArray[Any]:
    values = example[None]
    for axis in range(1, values.ndim):
        first = values.take([0], axis) if values.shape[axis] else values
        if values.shape[axis] > 1 and np.array_equal(np.broadcast_to(first, values.shape), values):
            values = first
    return values.copy()
