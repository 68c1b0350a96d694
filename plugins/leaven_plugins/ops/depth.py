"""Depth: what the values of an image's dtype stand for, and functions of single values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from leaven_plugins.ops.errors import ImageError

Image = NDArray[Any]
Curve = Callable[[NDArray[Any]], NDArray[Any]]

_DTYPES = frozenset(np.dtype(name) for name in ("uint8", "uint16", "int16", "float32"))
_RAMP = np.linspace(0, 1, 256)


def prepared(image: Image) -> Image:
    """Return an image as OpenCV takes it, with its rows one after the other; itself where they are.

    Raises:
        ImageError: it is not ``(height, width, channels)`` of uint8, uint16, int16 or float32.
    """
    if image.dtype not in _DTYPES:
        raise ImageError(f"the image is of {image.dtype}; it has to be of uint8, uint16, int16 or float32")
    if image.ndim != 3 or 0 in image.shape:
        raise ImageError(f"the image's shape is {image.shape}; it has to be (height, width, channels), none of them 0")
    return np.ascontiguousarray(image)


def limits(dtype: np.dtype[Any]) -> tuple[float, float]:
    """Return what stands for black and for white: the dtype's whole range, 0 and 1 for floats."""
    if dtype.kind == "f":
        return 0.0, 1.0
    info = np.iinfo(dtype)
    return float(info.min), float(info.max)


def to_unit(image: Image) -> NDArray[np.float32]:
    """Return the image's values within 0 and 1; floats are clipped."""
    if image.dtype.kind == "f":
        return np.clip(image, 0, 1).astype(np.float32, copy=False)
    low, high = limits(image.dtype)
    unit: NDArray[np.float32] = (image.astype(np.float32) - low) * np.float32(1 / (high - low))
    return unit


def from_unit(values: NDArray[Any], dtype: np.dtype[Any]) -> Image:
    """Return values within 0 and 1 in a dtype, clipped and, for integers, rounded."""
    clipped = np.clip(values, 0, 1)
    if dtype.kind == "f":
        in_dtype: Image = clipped.astype(dtype, copy=False)
    else:
        low, high = limits(dtype)
        in_dtype = np.rint(clipped * (high - low) + low).astype(dtype)
    return in_dtype


def by_value(image: Image, curve: Curve) -> Image:
    """Return a prepared image after a function of single values within 0 and 1; of 8 bits by a lookup table."""
    if image.dtype == np.uint8:
        return cv2.LUT(flat(image), from_unit(curve(_RAMP), image.dtype)).reshape(image.shape)
    return from_unit(curve(to_unit(image)), image.dtype)


def blend(image: Image, other: Image | float, factor: float) -> Image:
    """Return ``factor * image + (1 - factor) * other``, rounded and clipped to the dtype's range.

    Args:
        image: prepared.
        other: an image of the same shape and dtype, or one value.
        factor: 1 is ``image``, 0 is ``other``, and above 1 leads away from it.
    """
    values, rest = flat(image), 1 - factor
    if not isinstance(other, np.ndarray):
        offset = rest * other
        if image.dtype == np.uint8 and factor >= 0 <= offset:
            mixed = cv2.convertScaleAbs(values, alpha=factor, beta=offset)
        else:
            mixed = cv2.addWeighted(values, factor, values, 0, offset)
    else:
        mixed = cv2.addWeighted(values, factor, flat(other), rest, 0)
    if image.dtype.kind == "f":
        mixed = np.clip(mixed, 0, 1)
    return mixed.reshape(image.shape)


def flat(image: Image) -> Image:
    """Return a prepared image as one of a single channel, for functions in which every value stands for itself."""
    return image.reshape(image.shape[0], -1)
