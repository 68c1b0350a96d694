"""Pixels: scaling, channels, and encoding; images are RGB, RGBA or grey, of 8 or 16 bits."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from leaven.errors import DecodeError

Image = NDArray[Any]

_TO_FILE = {3: cv2.COLOR_RGB2BGR, 4: cv2.COLOR_RGBA2BGRA}


def checked(image: Image) -> Image:
    """Return an image ``(height, width, channels)`` of 1, 3 or 4 channels; two axes are taken for grey.

    Raises:
        DecodeError: it is none.
    """
    image = image[..., None] if image.ndim == 2 else image
    if image.ndim != 3 or image.shape[2] not in (1, 3, 4) or image.dtype not in (np.uint8, np.uint16) or not image.size:
        shown = f"a {image.dtype} array of shape {image.shape}"
        raise DecodeError(f"{shown} is no image of 1, 3 or 4 channels with 8 or 16 bits each")
    return image


def scaled(image: Image, size: tuple[int, int]) -> Image:
    """Return an image scaled to ``(height, width)``: sides that shrink by areas, those that grow by Lanczos."""
    height, width = image.shape[:2]
    smaller = min(size[0], height), min(size[1], width)
    for target, method in ((smaller, cv2.INTER_AREA), (size, cv2.INTER_LANCZOS4)):
        if image.shape[:2] != target:
            image = _resized(image, target, method)
    return image


def scaled_mask(mask: Image, size: tuple[int, int]) -> Image:
    """Return a mask scaled to ``(height, width)``: each pixel is the one in its place before, none is mixed."""
    return mask if mask.shape[:2] == size else _resized(mask, size, cv2.INTER_NEAREST_EXACT)


def with_channels(image: Image, channels: int) -> Image:
    """Return an image of 1 or 3 channels; what is transparent lies on white, grey is the luma of ITU-R BT.601."""
    if image.shape[2] == 4:
        image = _on_white(image)
    if image.shape[2] == channels:
        return image
    if channels == 3:
        return np.repeat(image, 3, axis=2)
    return cv2.cvtColor(np.ascontiguousarray(image), cv2.COLOR_RGB2GRAY)[..., None]


def encoded(image: Image, name: str, quality: int) -> bytes:
    """Return a file of the format ``jpeg`` or ``png``; a JPEG has 8 bits, and no transparency."""
    if name == "jpeg":
        image = with_channels(image, 1 if image.shape[2] == 1 else 3)
        image = image if image.dtype == np.uint8 else ((image.astype(np.uint32) + 128) // 257).astype(np.uint8)
    conversion = _TO_FILE.get(image.shape[2])
    pixels = np.ascontiguousarray(image) if conversion is None else cv2.cvtColor(image, conversion)
    parameters = [cv2.IMWRITE_JPEG_QUALITY, quality] if name == "jpeg" else []
    return cv2.imencode(".jpg" if name == "jpeg" else ".png", pixels, parameters)[1].tobytes()


def _resized(image: Image, size: tuple[int, int], method: int) -> Image:
    made: Image = cv2.resize(np.ascontiguousarray(image), size[::-1], interpolation=method)
    return made[..., None] if made.ndim == 2 else made


def _on_white(image: Image) -> Image:
    most = np.iinfo(image.dtype).max
    color, alpha = image[..., :3].astype(np.uint64), image[..., 3:].astype(np.uint64)
    return ((color * alpha + most * (most - alpha) + most // 2) // most).astype(image.dtype)
