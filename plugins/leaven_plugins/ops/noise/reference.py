"""Noise as defined: uniform, drawn pixel by pixel."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[Any]

GREEN = 1
"""The channel of RGB that gets half of the noise: eyes and sensors see it sharpest."""


def add_noise_rgb(image: Image, strength: float, random: np.random.Generator) -> Image:
    """Return an RGB image with noise as of a camera.

    Green gets half of the strength at full resolution, the other channels all of it at half resolution, enlarged. An
    image of one channel gets all of it at full resolution.

    Args:
        image: ``(height, width, channels)``; not changed.
        strength: amplitude, 1 is the whole range of the dtype ([0, 1] for floats) in both directions.
        random: the source of all chance.

    Returns:
        the same shape and dtype, clipped to the dtype's range.
    """
    height, width, channels = image.shape
    if channels == 1:
        return add_noise_other(image, strength, random)
    noisy = np.empty_like(image)
    for channel in range(channels):
        if channel == GREEN:
            noise = _uniform(image.dtype, strength / 2, (height, width), random)
        else:
            coarse = _uniform(image.dtype, strength, (max(height // 2, 1), max(width // 2, 1)), random)
            noise = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR)
        noisy[:, :, channel] = _sum(image[:, :, channel], noise)
    return noisy


def add_noise_other(image: Image, strength: float, random: np.random.Generator) -> Image:
    """Return an image with noise of all of the strength at full resolution in every channel.

    Arguments and result are those of :func:`add_noise_rgb`.
    """
    noise = _uniform(image.dtype, strength, image.shape, random)
    return _sum(image, noise)


def _uniform(dtype: np.dtype[Any], strength: float, shape: tuple[int, ...], random: np.random.Generator) -> Image:
    """Return noise in a dtype that holds its sum with any pixel."""
    if dtype.kind == "f":
        return random.uniform(-strength, strength, shape).astype(dtype)
    limits = np.iinfo(dtype)
    span = int(limits.max) - int(limits.min)
    low, high = int(-(span + 1) * strength), int(span * strength)
    if limits.bits == 8:
        return random.integers(low, max(high, low + 1), shape, dtype=np.int16)
    return random.integers(low, max(high, low + 1), shape).astype(np.float64)  # which cv2.resize takes


def _sum(image: Image, noise: Image) -> Image:
    total: Image = image + noise
    if image.dtype.kind == "f":
        return total.clip(0, 1)
    limits = np.iinfo(image.dtype)
    return np.rint(total).clip(limits.min, limits.max).astype(image.dtype)
