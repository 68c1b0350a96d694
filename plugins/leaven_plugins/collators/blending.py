"""Blending: rows of an array mixed with others, in place."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from leaven_plugins.collators.mixing import Mixing

_QUICK = frozenset(np.dtype(name) for name in ("uint8", "uint16", "int16", "float32", "float64"))


def mix_rows(array: NDArray[Any], mixing: Mixing) -> None:
    """Mix the rows of ``array`` as ``mixing`` says; what is blended is rounded where the dtype is an integer.

    Args:
        array: ``(rows, ...)``, with ``(..., height, width)`` at the end where there are boxes. It is written into.
        mixing: one entry for each row.
    """
    others = array[mixing.partners]  # a copy: rows change while others still need them
    for number, (share, box) in enumerate(zip(mixing.lambdas.tolist(), mixing.boxes, strict=True)):
        row, other = array[number, ...], others[number, ...]
        if box is not None:
            inside = (..., slice(box.top, box.bottom), slice(box.left, box.right))
            row[inside] = other[inside]
        elif share < 1:
            row[...] = _blended(row, other, share)


def _blended(row: NDArray[Any], other: NDArray[Any], share: float) -> NDArray[Any]:
    if row.dtype in _QUICK:  # 33 us for 3 x 224 x 224 bytes, by numpy 360
        mixed = cv2.addWeighted(row.reshape(1, -1), share, other.reshape(1, -1), 1 - share, 0)
        return mixed.reshape(row.shape)
    exact = share * row.astype(np.float64) + (1 - share) * other.astype(np.float64)
    return exact if row.dtype.kind in "fc" else np.rint(exact)
