"""Pictures: an image as pixels, whether it is a file's bytes or an array."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from leaven.errors import DecodeError


def pixels_of(image: Any) -> NDArray[np.uint8]:
    """Return an image as an array ``(height, width, 3)`` of uint8, RGB; an array is returned as it is.

    Args:
        image: the bytes of a file that OpenCV can read, of which the EXIF orientation is applied; or an array.

    Raises:
        DecodeError: it is neither.
    """
    if isinstance(image, np.ndarray):
        return image
    if not isinstance(image, (bytes, bytearray, memoryview)):
        raise DecodeError(f"neither the bytes of an image nor an array, but {type(image).__name__}")
    try:
        found = cv2.imdecode(np.frombuffer(image, np.uint8), cv2.IMREAD_COLOR) if len(image) else None
    except cv2.error as error:  # such as an image beyond OpenCV's limits
        raise DecodeError(f"an image of {len(image)} bytes cannot be decoded: {error}") from error
    if found is None:
        raise DecodeError(f"{len(image)} bytes are no image that OpenCV can read")
    return np.ascontiguousarray(found[:, :, ::-1], np.uint8)
