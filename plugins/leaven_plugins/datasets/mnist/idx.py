"""IDX files: arrays of bytes behind a header with their shape."""

from __future__ import annotations

import struct
from math import prod
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from leaven.errors import FormatError
from leaven_plugins.fetching.archives import gzip_content

_BYTES = 8  # the code for unsigned bytes
_MOST = 1 << 28


def read_idx(path: Path, ndim: int) -> NDArray[np.uint8]:
    """Return the array in a gzip file, ``ndim``-dimensional uint8.

    Raises:
        FormatError: it is something else, is cut off, or has bytes left over.
    """
    content = gzip_content(path, _MOST)
    header = 4 + 4 * ndim
    if content[:4] != bytes([0, 0, _BYTES, ndim]) or len(content) < header:
        raise FormatError(f"{path}: is no IDX file of bytes in {ndim} dimensions: it begins with {content[:4].hex()}")
    shape = struct.unpack(f">{ndim}I", content[4:header])
    if len(content) != header + prod(shape):
        raise FormatError(f"{path}: has {len(content)} bytes, {header + prod(shape)} are needed for {shape}")
    return np.frombuffer(content, np.uint8, offset=header).reshape(shape)
