"""Shaping: a JPEG of given size and bytes out of a photograph."""

from __future__ import annotations

from math import sqrt
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[Any]
Random = np.random.Generator

_QUALITIES = (88, 97)
_MOST_GRAIN = 40.0  # standard deviation in grey levels
_NEAR = 0.04  # share of the bytes by which a file may miss what it is to have

# Width, height and share. Those of ImageNet's training images: most are 500 pixels along the longer side.
_SIZES = (
    (500, 375, 0.44),
    (375, 500, 0.13),
    (500, 333, 0.13),
    (333, 500, 0.04),
    (500, 500, 0.03),
    (400, 300, 0.05),
    (300, 400, 0.02),
    (320, 240, 0.03),
    (640, 480, 0.05),
    (480, 640, 0.02),
    (800, 600, 0.03),
    (1024, 768, 0.02),
    (768, 1024, 0.005),
    (1600, 1200, 0.005),
)
_JITTER = 0.03  # of each side


class Shape(NamedTuple):
    """What a file is to be like.

    Attributes:
        width: in pixels.
        height: in pixels.
        bytes_per_pixel: of the JPEG; less than a photograph takes without grain cannot be reached.
        nearest: least share of the photograph's largest rectangle of these proportions that is shown, by its side.
        steps: how many times the strength of the grain is tried.
    """

    width: int
    height: int
    bytes_per_pixel: float
    nearest: float
    steps: int


def small_shape(random: Random) -> Shape:
    """Return a shape as ImageNet's images have them: 486 x 413 and 0.48 bytes per pixel in the mean."""
    shares = np.array([share for *_, share in _SIZES])
    width, height, _ = _SIZES[random.choice(len(_SIZES), p=shares / shares.sum())]
    across, down = random.uniform(1 - _JITTER, 1 + _JITTER, 2).tolist()
    density = 0.46 * float(np.exp(random.normal(0, 0.3)))
    return Shape(round(width * across), round(height * down), density, 0.4, 8)


def large_shape(random: Random) -> Shape:
    """Return the shape of a photograph of 12 megapixels and 3.4 MB."""
    return Shape(4000, 3000, 0.283 * float(np.exp(random.normal(0, 0.1))), 0.6, 4)


def shaped(photograph: Image, shape: Shape, random: Random) -> bytes:
    """Return a part of the photograph as a JPEG, 4:2:0, of a quality of 88 to 96.

    Grain is added to its brightness until the file has about the bytes that it is to have: reduced photographs are
    smoother than those that were taken at their size, and take half of the bytes.
    """
    image = _part(photograph, shape, random)
    quality = int(random.integers(*_QUALITIES))
    grain = random.standard_normal(image.shape[:2], np.float32)[:, :, None]
    return _of_size(image, grain, quality, shape)


def _part(photograph: Image, shape: Shape, random: Random) -> Image:
    rows, columns = photograph.shape[:2]
    most = min(rows / shape.height, columns / shape.width)  # pixels of the photograph for one of the result
    ratio = most * float(random.uniform(shape.nearest, 1))
    height, width = max(int(shape.height * ratio), 1), max(int(shape.width * ratio), 1)
    top, left = int(random.integers(rows - height + 1)), int(random.integers(columns - width + 1))
    method = cv2.INTER_AREA if ratio > 1 else cv2.INTER_CUBIC
    part = photograph[top : top + height, left : left + width]
    part = cv2.resize(part, (shape.width, shape.height), interpolation=method)
    return cv2.flip(part, 1) if random.random() < 0.5 else part


def _of_size(image: Image, grain: Image, quality: int, shape: Shape) -> bytes:
    """Return the JPEG whose grain gives it about the bytes that it is to have, found by halving an interval."""
    goal = shape.bytes_per_pixel * shape.width * shape.height
    best = _encoded(image, quality)
    low, high = 0.0, _MOST_GRAIN
    for _ in range(shape.steps):
        if len(best) > goal * (1 - _NEAR):
            break
        strength = sqrt(low * high) if low else high / 8
        found = _encoded(_grainy(image, grain, strength), quality)
        if len(found) > goal * (1 + _NEAR):
            high = strength
        else:
            low, best = strength, found
    return best


def _grainy(image: Image, grain: Image, strength: float) -> Image:
    """Return the image with the same grain on all channels, which leaves its colours."""
    noise = np.rint(grain * np.float32(strength)).astype(np.int16)
    grainy: Image = cv2.add(image, cv2.merge([noise] * 3), dtype=cv2.CV_8U)
    return grainy


def _encoded(image: Image, quality: int) -> bytes:
    sampling = (cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420)
    return bytes(cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality, *sampling])[1])
