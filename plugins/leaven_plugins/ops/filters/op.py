"""Sharpen, GaussianBlur and Sinc: filters whose size is counted in pixels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import cv2
import numpy as np
from numpy.typing import NDArray

from leaven.errors import ParameterError
from leaven_plugins.ops.depth import blend, prepared
from leaven_plugins.ops.drawn import NumberOp
from leaven_plugins.ops.filters.kernels import sinc_kernel
from leaven_plugins.ops.ranges import Range

Image = NDArray[Any]

_WIDEST_SHARPENING = 3


def gaussian_blur(image: Image, radius: int) -> Image:
    """Return an image under a Gaussian kernel of ``2 * radius + 1`` pixels, with the sigma that OpenCV gives it."""
    image = prepared(image)
    diameter = 2 * radius + 1
    return cv2.GaussianBlur(image, (diameter, diameter), 0).reshape(image.shape)


def sharpen(image: Image, factor: float) -> Image:
    """Return an image with its distances from itself blurred multiplied by ``factor``; clipped.

    The blur's radius is the whole part of the factor, at least 1 and at most 3 pixels.
    """
    image = prepared(image)
    return blend(image, gaussian_blur(image, max(1, min(_WIDEST_SHARPENING, int(factor)))), factor)


@dataclass(frozen=True)
class Sharpen(NumberOp):
    """Makes an image sharper, or softer: it multiplies the distances from the image itself, blurred.

    It reads ``sharpen``: below 1 is softer, 1 as it was, 2 has twice the detail. The blur's radius is the whole part of
    the factor, at least 1 and at most 3 pixels. Its own draw is used where the RNG gives none.

    Args:
        sharpen_range: of the factor, not negative.
        prob: how often there is one.

    Raises:
        ParameterError: the range is not two numbers of 0 or more, or ``prob`` not within 0 and 1.
    """

    name: ClassVar = "sharpen"
    keys: ClassVar[tuple[str, ...]] = ("sharpen",)
    idle: ClassVar = 1
    lowest: ClassVar = 0
    example: ClassVar[Mapping[str, Any]] = {"sharpen_range": (0, 6)}

    sharpen_range: Range | None = None
    prob: float = 1.0

    def apply(self, image: Image, values: Mapping[str, Any], random: np.random.Generator) -> Image:
        """Return the image of other sharpness, clipped to its dtype's range; ``random`` is not used."""
        return sharpen(image, self.value(values))


@dataclass(frozen=True)
class GaussianBlur(NumberOp):
    """Blurs by a Gaussian kernel given by its radius; ``op:blur`` is relative to the image's width.

    It reads ``gaussian_blur``: the radius in pixels, an integer; the kernel has ``2 * radius + 1`` pixels along each
    axis, and the sigma that OpenCV gives to it. Its own draw is used where the RNG gives none.

    Args:
        gaussian_blur_range: of the radius; both ends are drawn.
        prob: how often there is one.

    Raises:
        ParameterError: the range is not two numbers within 0 and 100, or ``prob`` not within 0 and 1.
    """

    name: ClassVar = "gaussian_blur"
    keys: ClassVar[tuple[str, ...]] = ("gaussian_blur",)
    idle: ClassVar = 0
    lowest: ClassVar = 0
    highest: ClassVar = 100
    whole: ClassVar = True
    example: ClassVar[Mapping[str, Any]] = {"gaussian_blur_range": (1, 6)}

    gaussian_blur_range: Range | None = None
    prob: float = 1.0

    def apply(self, image: Image, values: Mapping[str, Any], random: np.random.Generator) -> Image:
        """Return the blurred image; ``random`` is not used."""
        return gaussian_blur(image, self.value(values))


@dataclass(frozen=True)
class Sinc(NumberOp):
    """Takes off what is finer than a cutoff frequency, and leaves rings around edges as resampling does.

    It reads ``sinc``: the cutoff in radians per pixel, pi takes off (almost) nothing. Its own draw is used where the
    RNG gives none.

    Args:
        sinc_range: of the cutoff, within 0.01 and pi.
        diameter: of the kernel in pixels.
        prob: how often there is one.

    Raises:
        ParameterError: the range is not two numbers within 0.01 and 3.15, the diameter is below 1, or ``prob`` is not
            within 0 and 1.
    """

    name: ClassVar = "sinc"
    keys: ClassVar[tuple[str, ...]] = ("sinc",)
    lowest: ClassVar = 0.01
    highest: ClassVar = 3.15
    example: ClassVar[Mapping[str, Any]] = {"sinc_range": (0.6, 2.5), "diameter": 15}

    sinc_range: Range | None = None
    diameter: int = 7
    prob: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.diameter < 1:
            raise ParameterError(f"diameter is {self.diameter!r}; a kernel has at least one pixel")

    def apply(self, image: Image, values: Mapping[str, Any], random: np.random.Generator) -> Image:
        """Return the filtered image, clipped to its dtype's range; ``random`` is not used.

        Raises:
            ImageError: the cutoff is out of range.
        """
        image = prepared(image)
        kernel = sinc_kernel(self.value(values), self.diameter)
        # an even kernel has no middle pixel; of the two next to it, the first counts as it does in a convolution
        anchor = (self.diameter // 2, self.diameter // 2)
        filtered = cv2.filter2D(image, -1, kernel, anchor=anchor, borderType=cv2.BORDER_REFLECT).reshape(image.shape)
        return filtered.clip(0, 1) if image.dtype.kind == "f" else filtered
