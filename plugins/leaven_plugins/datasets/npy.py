"""Arrays as the bytes of an ``.npy`` file; what is declared is checked against what is there before it is made."""

from __future__ import annotations

import io
import math
import sys
from typing import Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from leaven.errors import FormatError, printable

_LONGEST_HEAD = 10_000  # characters, as numpy has it


def encode_npy(array: NDArray[Any]) -> bytes:
    """Return an array as a file.

    Raises:
        FormatError: it holds objects.
    """
    if array.dtype.hasobject:
        raise FormatError(f"an array of objects ({array.dtype}) is not written: only pickle could")
    stream = io.BytesIO()
    npy.write_array(stream, array, allow_pickle=False)
    return stream.getvalue()


def decode_npy(data: bytes) -> NDArray[Any]:
    """Return the array in a file, as a writable copy.

    Raises:
        FormatError: it is malformed, cut off, longer than it says, or holds objects.
    """
    try:
        stream = io.BytesIO(data)
        version = npy.read_magic(stream)
        read_head = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
        shape, is_fortran, dtype = read_head(stream, max_header_size=_LONGEST_HEAD)
        start = stream.tell()
    except Exception as error:  # the head is Python's text of a dict
        raise FormatError(f"not an npy file: {printable(str(error) or type(error).__name__, 200)}") from error
    if dtype.hasobject:
        raise FormatError("an array of objects: reading it would run whatever its pickles say, so it is refused")
    expected = math.prod(shape) * dtype.itemsize
    if len(data) - start != expected or not is_possible(shape, dtype):
        raise FormatError(f"an array {shape} of {dtype} has {expected} bytes, but there are {len(data) - start}")
    array = np.frombuffer(data, dtype, offset=start)
    return array.reshape(shape, order="F" if is_fortran else "C").copy(order="K")


def is_possible(shape: tuple[int, ...], dtype: np.dtype[Any]) -> bool:
    """Return whether there can be such an array; numpy counts the other dimensions of one of nothing, too."""
    most = math.prod(max(size, 1) for size in shape) * dtype.itemsize
    return 0 < most <= sys.maxsize and all(size >= 0 for size in shape)
