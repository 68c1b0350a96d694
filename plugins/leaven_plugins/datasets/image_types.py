"""Types of image files: told by their first bytes, and what arrays are written as."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from leaven.errors import FormatError

_CHANNELS = {1: None, 3: cv2.COLOR_RGB2BGR, 4: cv2.COLOR_RGBA2BGRA}
_LEADS = (
    (b"\xff\xd8\xff", ".jpg"),
    (b"\x89PNG\r\n\x1a\n", ".png"),
    (b"GIF8", ".gif"),
    (b"BM", ".bmp"),
    (b"II*\0", ".tif"),
    (b"MM\0*", ".tif"),
)
_SAME = {".jpeg": ".jpg", ".tiff": ".tif"}


def suffix_of(data: bytes) -> str:
    """Return how names of such files end, such as ``.jpg``, or ``""`` where the type is not known."""
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return ".webp"
    return next((suffix for lead, suffix in _LEADS if data.startswith(lead)), "")


def is_suffix_of(suffix: str, data: bytes) -> bool:
    """Return whether such a name suits the file, as ``.JPEG`` and ``.jpg`` do for one of JPEG."""
    lower = suffix.lower()
    return bool(suffix) and suffix_of(data) == _SAME.get(lower, lower)


def as_png(image: Any) -> bytes:
    """Return an image as a PNG file, which is exact.

    Args:
        image: ``(H, W)`` or ``(H, W, C)`` with 1, 3 (RGB) or 4 (RGBA) channels, uint8 or uint16.

    Raises:
        FormatError: it is no such array.
    """
    array = np.asarray(image)
    array = array.astype(array.dtype.newbyteorder("="), copy=False)
    pixels = array[:, :, None] if array.ndim == 2 else array
    has_channels = pixels.ndim == 3 and pixels.shape[2] in _CHANNELS
    if array.dtype not in (np.uint8, np.uint16) or not has_channels or not pixels.size:
        shapes = "only uint8 or uint16 of (height, width) and 1, 3 or 4 channels become an image file"
        raise FormatError(f"{array.dtype} array {array.shape}: {shapes}")
    turn = _CHANNELS[pixels.shape[2]]
    native = np.ascontiguousarray(pixels)
    encoded = cv2.imencode(".png", native if turn is None else cv2.cvtColor(native, turn))[1].tobytes()
    return bytes(encoded)
