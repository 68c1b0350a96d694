"""Luma: how bright the pixels of an image of any number of channels are."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[Any]

_RGB = np.array([0.299, 0.587, 0.114])  # of ITU-R BT.601, which JPEG and OpenCV use


def luma_weights(channels: int) -> NDArray[np.float64]:
    """Return the weight of each channel: those of BT.601 for RGB, equal ones for any other number of channels."""
    return _RGB if channels == 3 else np.full(channels, 1 / channels)


def luma(image: Image) -> Image:
    """Return the brightness of each pixel, ``(height, width)`` of the same dtype."""
    if image.shape[2] == 1:
        return image[:, :, 0]
    return cv2.transform(image, luma_weights(image.shape[2])[None])


def mean_luma(image: Image) -> float:
    """Return the mean brightness of an image, in its own values."""
    channels = image.shape[2]
    means = cv2.mean(image)[:channels] if channels <= 4 else image.mean((0, 1))
    return float(np.dot(luma_weights(channels), means))
