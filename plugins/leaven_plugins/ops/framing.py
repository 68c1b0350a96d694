"""Framing: parts, borders and other sizes of images of any number of channels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from leaven.errors import ParameterError
from leaven.protocols import Region
from leaven_plugins.ops.errors import ImageError
from leaven_plugins.ops.geometry import Size
from leaven_plugins.ops.interpolation import AREA, NEAREST

Image = NDArray[Any]
Background = float | Sequence[float]

MODES = {
    "constant": cv2.BORDER_CONSTANT,
    "edge": cv2.BORDER_REPLICATE,
    "reflect": cv2.BORDER_REFLECT_101,
    "symmetric": cv2.BORDER_REFLECT,
    "wrap": cv2.BORDER_WRAP,
}
"""What a border shows, by the names that numpy has for it."""

_WORTH_AVERAGING = 2.0  # pixels of the source per pixel of the result, from which interpolation alone passes over some


def resized(image: Image, size: Size, method: int, antialias: bool = True) -> Image:
    """Return an image in another size, its borders on the same borders.

    Args:
        image: ``(height, width, channels)``; not changed.
        size: of the result.
        method: number of the interpolation.
        antialias: average where an axis is reduced to half or less, and let the nearest pixel's method take the middle
            one of each group. ``False`` is OpenCV's method and nothing else.
    """
    if image.shape[:2] == tuple(size):
        return image
    if antialias and method == NEAREST:
        method = cv2.INTER_NEAREST_EXACT
    elif antialias and max(image.shape[0] / size[0], image.shape[1] / size[1]) >= _WORTH_AVERAGING:
        method = AREA
    return by_fours(image, 0, lambda part, _: cv2.resize(part, (size[1], size[0]), interpolation=method))


def cut(image: Image, region: Region, background: Background = 0, mode: str = "constant") -> Image:
    """Return a part of an image, a view of it; what lies beyond the image is added as in :func:`bordered`."""
    height, width = image.shape[:2]
    inner = image[max(region.top, 0) : max(region.bottom, 0), max(region.left, 0) : max(region.right, 0)]
    margins = (-region.top, region.bottom - height, -region.left, region.right - width)
    if max(margins) <= 0:
        return inner
    if 0 in inner.shape:
        raise ImageError(f"{region} lies wholly outside of an image of {height} x {width}")
    if mode != "constant":  # borders repeat the image, and not only the part of it that is shown
        whole = bordered(image, [max(margin, 0) for margin in margins], background, mode)
        top, left = max(region.top, 0), max(region.left, 0)
        return whole[top : top + region.bottom - region.top, left : left + region.right - region.left]
    return bordered(inner, [max(margin, 0) for margin in margins], background, mode)


def bordered(image: Image, margins: Sequence[int], background: Background = 0, mode: str = "constant") -> Image:
    """Return an image with a border.

    Args:
        image: ``(height, width, channels)``; not changed.
        margins: top, bottom, left, right; in pixels.
        background: what a constant border shows, one value or one for each channel.
        mode: one of :data:`MODES`.

    Raises:
        ImageError: the number of values in ``background`` does not fit the channels.
    """
    top, bottom, left, right = margins

    def add(part: Image, values: list[float]) -> Image:
        return cv2.copyMakeBorder(part, top, bottom, left, right, MODES[mode], value=values)

    return by_fours(image, background, add)


def by_fours(image: Image, background: Background, function: Callable[[Image, list[float]], Image]) -> Image:
    """Return what a function makes of an image that takes four channels and four values of a background at most.

    Raises:
        ImageError: the number of values in ``background`` does not fit the channels.
    """
    channels = image.shape[2]
    values = [float(value) for value in np.ravel(background)]
    if len(values) not in (1, channels):
        raise ImageError(f"background has {len(values)} values for an image of {channels} channels")
    values = values * channels if len(values) == 1 else values
    if channels <= 4:
        made = function(image, values)
        return made[:, :, None] if made.ndim == 2 else made
    starts = range(0, channels, 4)
    parts = (by_fours(image[:, :, i : i + 4], values[i : i + 4], function) for i in starts)
    return np.concatenate(list(parts), axis=2)


def checked_size(name: str, size: Sequence[int]) -> tuple[int, int]:
    """Return a size as height and width.

    Raises:
        ParameterError: it is not two positive integers.
    """
    is_pair = isinstance(size, (list, tuple)) and len(size) == 2
    if not is_pair or not all(isinstance(side, int) and side > 0 for side in size):
        raise ParameterError(f"{name} is {size!r}; it has to be height and width, in pixels")
    return size[0], size[1]


def scaled_size(size: Sequence[int], factor: float) -> list[int]:
    """Return a size ``factor`` times as large, of at least one pixel."""
    return [max(round(side * factor), 1) for side in size]


def checked_margins(name: str, margins: int | Sequence[int]) -> tuple[int, int, int, int]:
    """Return margins as top, bottom, left and right; one number counts for all.

    Raises:
        ParameterError: they are not one or four integers, none of them negative.
    """
    four = (margins,) * 4 if isinstance(margins, int) else tuple(margins)
    if len(four) != 4 or not all(isinstance(margin, int) and margin >= 0 for margin in four):
        raise ParameterError(f"{name} is {margins!r}; it has to be one margin, or top, bottom, left and right")
    return four[0], four[1], four[2], four[3]


def checked_mode(name: str, mode: str) -> None:
    """Check what a border is to show.

    Raises:
        ParameterError: it is none of :data:`MODES`.
    """
    if mode not in MODES:
        raise ParameterError(f"{name} is {mode!r}; it has to be one of {', '.join(MODES)}")
