"""add_gamma: brightness, colour and contrast of an image of any depth."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from leaven_plugins.ops.errors import ImageError
from leaven_plugins.ops.tone.curve import tone_curve

Image = NDArray[Any]


def add_gamma(
    image: Image,
    color: bool = True,
    gamma_gray: float | None = None,
    gamma_color: Sequence[float] | None = None,
    contrast: float | None = None,
) -> Image:
    """Return the image with its contrast changed, then raised to ``gamma_gray * gamma_color``.

    Args:
        image: ``(height, width, channels)``; integers stand for [0, 1] by their dtype's whole range, floats for
            themselves (clipped). Not changed.
        color: whether ``gamma_color`` counts.
        gamma_gray: exponent of all channels; below 1 brightens. ``None`` for 1.
        gamma_color: one exponent for each channel, or one for all. ``None`` for 1.
        contrast: -1 to 1. ``None`` for 0.

    Returns:
        the same shape and dtype; ``(height, width, 3)`` for one channel and three exponents.

    Raises:
        ImageError: the number of exponents does not fit the channels, or the dtype is neither integer nor float.
    """
    per_channel = gamma_color if color and gamma_color is not None else [1.0]
    gamma = [float(value) * (gamma_gray or 1.0) for value in per_channel]
    channels = image.shape[2]
    if len(gamma) == 3 and channels == 1:
        image = np.repeat(image, 3, axis=2)
    elif len(gamma) not in (1, channels):
        raise ImageError(f"gamma_color has {len(gamma)} values for an image of {channels} channels")
    if len(set(gamma)) == 1:  # one table for all channels is looked up in half of the time
        gamma = gamma[:1]
    if image.dtype.kind == "f":
        curved = tone_curve(np.clip(image.astype(np.float64), 0, 1), gamma, contrast or 0)
        return curved.astype(image.dtype)
    if image.dtype.kind not in "iu":
        raise ImageError(f"tone of {image.dtype} images is not defined; use integers or floats")
    return _looked_up(image, gamma, contrast or 0)


def _looked_up(image: Image, gamma: Sequence[float], contrast: float) -> Image:
    limits = np.iinfo(image.dtype)
    if limits.bits > 16:  # a table would not pay
        values = (image.astype(np.float64) - limits.min) / (limits.max - limits.min)
        return _scaled_back(tone_curve(values, gamma, contrast), limits).astype(image.dtype)
    table = _scaled_back(_contrasted(limits.bits, contrast) ** gamma, limits).astype(image.dtype)
    if limits.bits == 8 and limits.min == 0:
        return cv2.LUT(image, table[None]).reshape(image.shape)
    places = image.astype(np.int32) - limits.min
    return np.stack([table[places[:, :, i], i % table.shape[1]] for i in range(image.shape[2])], axis=2)


def _contrasted(bits: int, contrast: float) -> NDArray[np.float64]:
    """Return the ramp after contrast, as :func:`tone_curve` has it without gamma, in a fifth of its time."""
    share = abs(contrast)
    return (1 - share) * _ramp(bits) + share * _full_contrast(bits, contrast > 0) if contrast else _ramp(bits)


@lru_cache
def _full_contrast(bits: int, positive: bool) -> NDArray[np.float64]:
    return tone_curve(_ramp(bits), 1.0, 1.0 if positive else -1.0)


@lru_cache
def _ramp(bits: int) -> NDArray[np.float64]:
    """Return every value of an integer of so many bits as a column within 0 and 1."""
    return np.linspace(0, 1, 1 << bits)[:, None]


def _scaled_back(values: NDArray[np.float64], limits: Any) -> NDArray[np.float64]:
    scaled: NDArray[np.float64] = np.rint(values * (limits.max - limits.min) + limits.min)
    return scaled
