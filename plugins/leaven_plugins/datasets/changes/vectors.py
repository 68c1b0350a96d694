"""Vectors: labels as what a network is to give for each class."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from leaven.errors import ParameterError, SampleError

if TYPE_CHECKING:
    from numpy.typing import NDArray


def smoothed(component: str, value: Any, classes: int, smoothing: float, position: int) -> NDArray[np.float32]:
    """Return float32 ``(classes,)``: ``smoothing / classes`` everywhere, and the rest of 1 on top of it at the label.

    Raises:
        ParameterError: there is no class of this label.
        SampleError: it is no label.
    """
    label = whole(value, position)
    if label == -1:
        return np.full(classes, -1, np.float32)
    if not 0 <= label < classes:
        raise ParameterError(f"{component}: label {label}, but there are {classes} classes; say how many: classes=...")
    vector = np.full(classes, smoothing / classes, np.float32)
    vector[label] += 1 - smoothing
    return vector


def binary(component: str, value: Any, smoothing: float, position: int) -> float:
    """Return what a label becomes that is 0 or 1: nearer to the other by half of ``smoothing``; -1 stays.

    Raises:
        ParameterError: it is another number.
        SampleError: it is no label.
    """
    label = whole(value, position)
    if label not in (-1, 0, 1):
        raise ParameterError(
            f"{component}: label {label}, but of a single class it is 0 or 1; say how many: classes=..."
        )
    return -1.0 if label == -1 else label + (0.5 - label) * smoothing


def whole(value: Any, position: int) -> int:
    """Return a label.

    Raises:
        SampleError: it is no whole number.
    """
    found = np.asarray(value)
    if found.ndim or found.dtype.kind not in "iu":
        raise SampleError(f"label {value!r}: expected a whole number", index=position, stage="label")
    return int(found)
