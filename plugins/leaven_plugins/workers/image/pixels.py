"""Pixels: channels and colour spaces of an image, and how it gets into its row of a batch."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from leaven_plugins.ops.errors import ImageError

Image = NDArray[Any]

COLORSPACES = {"rgb": 0, "hsv": 3, "hls": 3, "lab": 3, "ycrcb": 3, "gray": 1}
"""How many channels a colour space has; 0 is "as they are"."""

_FROM_RGB = {
    "hsv": cv2.COLOR_RGB2HSV_FULL,
    "hls": cv2.COLOR_RGB2HLS_FULL,
    "lab": cv2.COLOR_RGB2LAB,
    "ycrcb": cv2.COLOR_RGB2YCrCb,
}
_TO_CHANNELS = {
    (3, 1): cv2.COLOR_RGB2GRAY,
    (4, 1): cv2.COLOR_RGBA2GRAY,
    (1, 3): cv2.COLOR_GRAY2RGB,
    (4, 3): cv2.COLOR_RGBA2RGB,
}
_SPLITTABLE = frozenset(np.dtype(name) for name in ("uint8", "uint16", "int16", "int32", "float32", "float64"))


def with_channels(image: Image, channels: int) -> Image:
    """Return ``image`` with 1 (grey), 3 (RGB) or 4 channels; itself where it has them already.

    Raises:
        ImageError: there is no such conversion.
    """
    present = image.shape[2]
    if present == channels:
        return image
    if (present, channels) not in _TO_CHANNELS:
        raise ImageError(f"an image of {present} channels cannot become one of {channels}")
    return _converted(image, _TO_CHANNELS[present, channels])


def with_colorspace(image: Image, colorspace: Any) -> Image:
    """Return an RGB image in another colour space, hues over the whole range of a byte.

    Args:
        image: ``(height, width, 3)``; grey images become grey, and nothing else.
        colorspace: a name in :data:`COLORSPACES`, in any case; ``None``, ``False`` and ``""`` for RGB.

    Raises:
        ImageError: the image is grey and the colour space is not.
    """
    name = str(colorspace or "rgb").lower()
    if name == "rgb":
        return image
    if name == "gray":
        return with_channels(image, 1)
    if image.shape[2] != 3:
        raise ImageError(f"colorspace {name!r} of an image of {image.shape[2]} channels")
    return _converted(image, _FROM_RGB[name])


def write(image: Image, row: NDArray[Any]) -> None:
    """Write an image into its row of a batch, ``(channels, height, width)``.

    Values stay as they are, also in a row of floats (0 to 255 for images of 8 bits), as long as every value of the
    image's dtype fits into the row's; otherwise the one's range becomes the other's. Images of floats have the range 0
    to 1.
    """
    if image.dtype != row.dtype and row.dtype.kind in "iu" and not np.can_cast(image.dtype, row.dtype):
        image = _ranged(image, row.dtype)
    if image.shape[2] == 1:
        np.copyto(row[0], image[:, :, 0], casting="unsafe")
    elif image.dtype == row.dtype and image.dtype in _SPLITTABLE and row.flags.c_contiguous:
        cv2.split(image, list(row))  # 5 us at 224 x 224 x 3, a transposed copy takes 40
    else:
        for plane, channel in zip(cv2.split(image), row, strict=True):
            np.copyto(channel, plane, casting="unsafe")


def _ranged(image: Image, dtype: np.dtype[Any]) -> Image:
    low, high = _range(image.dtype)
    to_low, to_high = _range(dtype)
    part = np.clip((image.astype(np.float64) - low) / (high - low), 0, 1)
    ranged: Image = np.rint(part * (to_high - to_low) + to_low).astype(dtype)
    return ranged


def _range(dtype: np.dtype[Any]) -> tuple[float, float]:
    if dtype.kind == "f":
        return 0.0, 1.0
    limits = np.iinfo(dtype)
    return float(limits.min), float(limits.max)


def _converted(image: Image, conversion: int) -> Image:
    converted = cv2.cvtColor(image, conversion)
    return converted[:, :, None] if converted.ndim == 2 else converted
