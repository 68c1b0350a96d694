"""GaussianNoise and PoissonNoise: noise by its distribution, with a mean of 0."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import cv2
import numpy as np
from numpy.typing import NDArray

from leaven_plugins.ops.depth import flat, from_unit, prepared, to_unit
from leaven_plugins.ops.drawn import NumberOp
from leaven_plugins.ops.grain.pools import WIDEST, byte_noise, normal_noise
from leaven_plugins.ops.ranges import Range

Image = NDArray[Any]

_LEVELS = 255  # photons are counted in levels of 8 bits, whatever the dtype


def add_gaussian_noise(image: Image, sigma: float, random: np.random.Generator) -> Image:
    """Return an image with normal noise of the standard deviation ``sigma``, in units of the dtype's range; clipped.

    Noise of 8 bits is cut out of a pool at a drawn place, which takes a tenth of the time.
    """
    image = prepared(image)
    if image.dtype != np.uint8:
        noise = random.standard_normal(image.shape, np.float32)
        return from_unit(to_unit(image) + np.float32(sigma) * noise, image.dtype)
    values = flat(image)
    piece = byte_noise(values.shape, random)
    weight = sigma * 2 * WIDEST  # 0..255 of the pool stands for -WIDEST..+WIDEST
    return cv2.addWeighted(values, 1, piece, weight, -weight * 255 / 2).reshape(image.shape)


def add_poisson_noise(image: Image, strength: float, random: np.random.Generator) -> Image:
    """Return an image with noise of the variance ``strength`` times the value, both in levels of 8 bits; clipped.

    Noise of 8 bits is cut out of a pool, which takes a thirtieth of the time; it has mean, variance and skewness of
    photons, not their whole numbers.
    """
    image = prepared(image)
    if image.dtype == np.uint8:
        return _with_pooled_photons(image, strength, random)
    values = to_unit(image)
    expected = values * np.float32(_LEVELS * strength)
    noise = (random.poisson(expected) - expected) / np.float32(_LEVELS)
    return from_unit(values + noise, image.dtype)


def _with_pooled_photons(image: Image, strength: float, random: np.random.Generator) -> Image:
    """Return an image with noise that has mean, variance and skewness of counted photons, out of pools."""
    values = flat(image)
    normal, skewed = normal_noise(values.shape, random)
    expected = np.arange(256) * strength
    skewness = np.minimum(expected, 1)  # of few photons there is hardly any noise
    spread = np.sqrt(expected - skewness**2 / 18)
    noise: Image = cv2.LUT(values, spread.astype(np.float32)) * normal
    noise += cv2.LUT(values, skewness.astype(np.float32)) * skewed
    return cv2.add(values, noise, dtype=cv2.CV_8U).reshape(image.shape)


@dataclass(frozen=True)
class GaussianNoise(NumberOp):
    """Adds normal noise, which is the same for bright and dark pixels, and another for each channel.

    It reads ``gaussian_noise``: the standard deviation, 1 is the dtype's whole range. Its own draw is used where the
    RNG gives none.

    Args:
        gaussian_noise_range: of the standard deviation, within 0 and 1.
        prob: how often there is any.

    Raises:
        ParameterError: the range is not two numbers within 0 and 1, or ``prob`` not within 0 and 1.
    """

    name: ClassVar = "gaussian_noise"
    keys: ClassVar[tuple[str, ...]] = ("gaussian_noise",)
    idle: ClassVar = 0
    lowest: ClassVar = 0
    highest: ClassVar = 1
    example: ClassVar[Mapping[str, Any]] = {"gaussian_noise_range": (0.02, 0.25)}

    gaussian_noise_range: Range | None = None
    prob: float = 1.0

    def apply(self, image: Image, values: Mapping[str, Any], random: np.random.Generator) -> Image:
        """Return the noisy image, clipped to its dtype's range."""
        return add_gaussian_noise(image, self.value(values), random)


@dataclass(frozen=True)
class PoissonNoise(NumberOp):
    """Adds noise as of counted photons: its variance grows with the brightness, its mean is 0.

    It reads ``poisson_noise``: the variance divided by the value, in levels of 8 bits, whatever the dtype; at 1, white
    has a standard deviation of 16 levels. Its own draw is used where the RNG gives none.

    Args:
        poisson_noise_range: of the strength, within 0 and 100.
        prob: how often there is any.

    Raises:
        ParameterError: the range is not two numbers within 0 and 100, or ``prob`` not within 0 and 1.
    """

    name: ClassVar = "poisson_noise"
    keys: ClassVar[tuple[str, ...]] = ("poisson_noise",)
    idle: ClassVar = 0
    lowest: ClassVar = 0
    highest: ClassVar = 100
    example: ClassVar[Mapping[str, Any]] = {"poisson_noise_range": (0.5, 20)}

    poisson_noise_range: Range | None = None
    prob: float = 1.0

    def apply(self, image: Image, values: Mapping[str, Any], random: np.random.Generator) -> Image:
        """Return the noisy image, clipped to its dtype's range."""
        return add_poisson_noise(image, self.value(values), random)
