"""The works by plain OpenCV calls, as they are done for every peer that leaves them to functions of the user's."""

# ruff: noqa: TID252 - see the package

from __future__ import annotations

from math import exp, log, sqrt
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ..works import (
    AREA,
    BLUR,
    BRIGHTNESS,
    CHANCE,
    COLOR,
    CONTRAST,
    MIRROR,
    NOISE,
    RATIO,
    SHORTEST,
    SIZE,
    TRIES,
    Work,
)

Image = NDArray[Any]
Random = np.random.Generator

_RAMP = np.linspace(0, 1, 256)[:, None]


def picture_of(path: str, work: Work, random: Random) -> Image:
    """Return what a work makes of an image file: uint8 ``(3, height, width)``."""
    image = decoded(np.fromfile(path, np.uint8))
    image = random_crop(image, random) if work.random else middle(image)
    if work.pixels:
        image = with_pixels_changed(image, random)
    return channels_first(image)


def one_thread() -> None:
    """Keep OpenCV from starting threads of its own beside those of the loader."""
    cv2.setNumThreads(0)


def decoded(data: Image) -> Image:
    """Return the RGB image of a file's bytes.

    Raises:
        ValueError: it cannot be decoded.
    """
    image: Image | None = cv2.imdecode(data, cv2.IMREAD_COLOR_RGB)
    if image is None:
        raise ValueError(f"cannot decode an image of {len(data)} bytes")
    return image


def random_crop(image: Image, random: Random) -> Image:
    """Return a random part of the image, resized, and perhaps mirrored."""
    top, left, height, width = _crop(image.shape[0], image.shape[1], random)
    part = image[top : top + height, left : left + width]
    resized = cv2.resize(part, (SIZE, SIZE), interpolation=cv2.INTER_LINEAR)
    return cv2.flip(resized, 1) if random.random() < MIRROR else resized


def middle(image: Image) -> Image:
    """Return the middle of the image after its shorter side was resized; what is passed over is averaged."""
    height, width = image.shape[:2]
    scale = SHORTEST / min(height, width)
    size = (max(round(width * scale), SHORTEST), max(round(height * scale), SHORTEST))
    image = cv2.resize(image, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    top, left = (size[1] - SIZE) // 2, (size[0] - SIZE) // 2
    return image[top : top + SIZE, left : left + SIZE]


def with_pixels_changed(image: Image, random: Random) -> Image:
    """Return the image with brightness, contrast, colour, noise and blur, each of them or not."""
    bright, contrasted, coloured, noisy, blurred = (random.random(5) < CHANCE).tolist()
    if bright or contrasted or coloured:
        image = cv2.LUT(image, _table(bright, contrasted, coloured, random)[None])
    if noisy:
        deviation = random.uniform(*NOISE)
        noise = cv2.randn(np.empty(image.shape, np.int16), np.zeros(3), np.full(3, deviation))
        image = cv2.add(image, noise, dtype=cv2.CV_8U)
    if blurred:
        image = cv2.GaussianBlur(image, (0, 0), random.uniform(*BLUR))
    return image


def channels_first(image: Image) -> Image:
    """Return a copy ``(channels, height, width)``; ``cv2.split`` takes an eighth of the time of numpy's copy."""
    result = np.empty((image.shape[2], *image.shape[:2]), image.dtype)
    cv2.split(image, list(result))
    return result


def _crop(rows: int, columns: int, random: Random) -> tuple[int, int, int, int]:
    """Return top, left, height and width, as torchvision's ``RandomResizedCrop`` draws them."""
    low, high = log(RATIO[0]), log(RATIO[1])
    for area, ratio, down, right in random.random((TRIES, 4)).tolist():
        pixels = (AREA[0] + area * (AREA[1] - AREA[0])) * rows * columns
        proportion = exp(low + ratio * (high - low))
        height, width = round(sqrt(pixels / proportion)), round(sqrt(pixels * proportion))
        if 0 < height <= rows and 0 < width <= columns:
            return int(down * (rows - height + 1)), int(right * (columns - width + 1)), height, width
    proportion = min(max(columns / rows, RATIO[0]), RATIO[1])
    height, width = min(rows, round(columns / proportion)), min(columns, round(rows * proportion))
    return (rows - height) // 2, (columns - width) // 2, height, width


def _table(bright: bool, contrasted: bool, coloured: bool, random: Random) -> Image:
    """Return one table for brightness, contrast and colour, of one or three channels."""
    gain = 1 + random.uniform(*CONTRAST) if contrasted else 1.0
    gamma = _gamma(random.uniform(*BRIGHTNESS, 1)) if bright else np.ones(1)
    if coloured:
        gamma = gamma * _gamma(random.uniform(*COLOR, 3))
    table: Image = np.rint(255 * ((_RAMP - 0.5) * gain + 0.5).clip(0, 1) ** gamma).astype(np.uint8)
    return table


def _gamma(brightness: Image) -> Image:
    exponents: Image = np.where(brightness > 0, 1 - brightness, 1 / (1 + np.minimum(brightness, 0)))
    return exponents
