"""How numpy values look within messages: as ext types in control messages, as msgpack-numpy's maps in samples.

Neither side ever makes or accepts object arrays, whose content would be a pickle. A size that was read is checked in
Python integers against the bytes that are there, before anything is allocated for it.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Mapping
from math import prod
from typing import Any

import msgpack
import numpy as np
from numpy.typing import NDArray

ARRAY, SCALAR = 1, 2
"""Ext codes of control messages."""

_PLAIN = ("|b1", "|i1", "|u1", "<i2", "<u2", "<i4", "<u4", "<i8", "<u8", "<f2", "<f4", "<f8", "<c8", "<c16")
_CODES = {dtype: code for code, dtype in enumerate(_PLAIN)}
_SAMPLE_DTYPE = re.compile(r"[<>|=]?([biufcSUV][0-9]{1,9}|[mM]8(\[[0-9]{0,9}[A-Za-z]{1,8}\])?)")
_NESTED_RECORDS = 8


def to_ext(value: Any) -> msgpack.ExtType:
    """Return a numpy array or scalar as an ext type; byte order becomes little-endian.

    Raises:
        TypeError: it is neither, or its dtype is not a plain number.
    """
    if not isinstance(value, (np.ndarray, np.generic)):
        raise _refusal(value)
    little = value.dtype.newbyteorder("<")
    code = _CODES.get(little.str)
    if code is None:
        raise TypeError(f"dtype {value.dtype} cannot be sent, only plain numbers can")
    head = struct.pack(f"<BB{value.ndim}Q", code, value.ndim, *value.shape)
    kind = ARRAY if isinstance(value, np.ndarray) else SCALAR
    return msgpack.ExtType(kind, head + np.asarray(value).astype(little, copy=False).tobytes())


def from_ext(code: int, payload: bytes) -> Any:
    """Return the array or scalar of an ext type; arrays are writable copies.

    Raises:
        ValueError: unknown ext code or dtype, or a size that is not that of the payload.
    """
    if code not in (ARRAY, SCALAR):
        raise ValueError(f"unknown ext type {code}")
    if len(payload) < 2 or payload[0] >= len(_PLAIN):
        raise ValueError("array of an unknown dtype")
    start = 2 + 8 * payload[1]
    if len(payload) < start:
        raise ValueError("array without its shape")
    array = _array(np.dtype(_PLAIN[payload[0]]), struct.unpack_from(f"<{payload[1]}Q", payload, 2), payload[start:])
    if code == ARRAY:
        return array
    if array.ndim:
        raise ValueError(f"scalar of shape {array.shape}")
    return array[()]


def to_map(value: Any) -> dict[bytes, Any]:
    """Return a numpy array or scalar, or a complex number, as msgpack-numpy's map with binary keys.

    Raises:
        TypeError: it is none of these, or an array of objects.
    """
    if isinstance(value, np.ndarray):
        if value.dtype.hasobject:
            raise TypeError(f"array of dtype {value.dtype}: objects cannot be packed")
        record = value.dtype.kind == "V"
        return {
            b"nd": True,
            b"type": value.dtype.descr if record else value.dtype.str,
            b"kind": b"V" if record else b"",
            b"shape": value.shape,
            b"data": value.tobytes(),
        }
    if isinstance(value, (np.bool_, np.number)):
        return {b"nd": False, b"type": value.dtype.str, b"data": value.tobytes()}
    if isinstance(value, complex):
        return {b"complex": True, b"data": repr(value)}
    raise _refusal(value)


def from_map(value: dict[Any, Any]) -> Any:
    """Return what msgpack-numpy's map stands for, and any other map as it is; arrays are writable copies.

    Raises:
        ValueError: the map has the key ``b"nd"`` or ``b"complex"``, but is not what these promise.
    """
    if b"nd" in value:
        return _from_nd(value)
    if b"complex" in value:
        return _from_complex(value)
    return value


def _refusal(value: Any) -> TypeError:
    if isinstance(value, int):
        return TypeError(f"an integer of {value.bit_length()} bits, 64 is the most")
    return TypeError(f"{type(value).__name__} is not plain data")


def _from_nd(value: Mapping[Any, Any]) -> Any:
    kind, data = value.get(b"kind", b""), value.get(b"data")
    if kind == b"O":
        raise ValueError("array of objects (a pickle), which is never read")
    if kind not in (b"", b"V") or not isinstance(data, bytes):
        raise ValueError("malformed numpy array")
    dtype = _record(value.get(b"type"), _NESTED_RECORDS) if kind == b"V" else _dtype(value.get(b"type"))
    if value[b"nd"] is False:
        return _array(dtype, (), data)[()]
    return _array(dtype, _shape(value.get(b"shape")), data)


def _from_complex(value: Mapping[Any, Any]) -> complex:
    text = value.get(b"data")
    if not isinstance(text, str) or len(text) > 64:
        raise ValueError("malformed complex number")
    return complex(text)


def _array(dtype: np.dtype[Any], shape: tuple[int, ...], data: bytes) -> NDArray[Any]:
    # No bytes at all may still promise 10^9 empty strings, which tolist() would make.
    if dtype.itemsize == 0 or prod(shape) * dtype.itemsize != len(data):
        raise ValueError(f"array of shape {shape} and dtype {dtype} in {len(data)} bytes")
    array: NDArray[Any] = np.ndarray(shape, dtype, buffer=data)
    return array.copy()


def _shape(value: Any) -> tuple[int, ...]:
    if isinstance(value, list) and all(type(n) is int and n >= 0 for n in value):
        return tuple(value)
    raise ValueError("malformed shape of an array")


def _dtype(value: Any) -> np.dtype[Any]:
    if not isinstance(value, str) or not _SAMPLE_DTYPE.fullmatch(value):
        raise ValueError(f"dtype {str(value)[:40]!r} is not one of plain numbers, strings or times")
    return np.dtype(value)


def _record(value: Any, depth: int) -> np.dtype[Any]:
    if not isinstance(value, list) or not value or depth == 0:
        raise ValueError("malformed dtype of a structured array")
    return np.dtype([_field(field, depth) for field in value])


def _field(field: Any, depth: int) -> tuple[Any, ...]:
    if not isinstance(field, list) or len(field) not in (2, 3) or not isinstance(field[0], str):
        raise ValueError("malformed field of a structured array")
    dtype = _record(field[1], depth - 1) if isinstance(field[1], list) else _dtype(field[1])
    return (field[0], dtype) if len(field) == 2 else (field[0], dtype, _shape(field[2]))
