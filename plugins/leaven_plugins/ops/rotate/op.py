"""Rotate: turned images."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil, cos, radians, sin
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from leaven_plugins.ops.depth import prepared
from leaven_plugins.ops.drawn import NumberOp
from leaven_plugins.ops.framing import Background, by_fours
from leaven_plugins.ops.geometry import index_transform, make_transform
from leaven_plugins.ops.interpolation import LINEAR
from leaven_plugins.ops.interpolation import interpolation as interpolation_number
from leaven_plugins.ops.ranges import Range
from leaven_plugins.ops.rendering import warp

Image = NDArray[Any]

_ROUNDING = 1e-6  # by which a size may be too large without another pixel: sine and cosine are not exact


def rotated(
    image: Image,
    degrees: float,
    enlarge: bool = False,
    method: int = LINEAR,
    background: Background = 0,
    aligned: bool = True,
) -> Image:
    """Return an image turned counter-clockwise about its middle.

    Args:
        image: ``(height, width, channels)``; not changed.
        degrees: the angle.
        enlarge: let the result be as large as it takes to hold all of the image; else it is as large as the image.
        method: number of the interpolation.
        background: value outside of the image, one or one for each channel.
        aligned: see :class:`Rotate`.
    """
    image = prepared(image)
    height, width = image.shape[:2]
    size = _enclosing(height, width, degrees) if enlarge else (height, width)
    unscaled = min(height / size[0], width / size[1])  # as scale, it lets a pixel stand for one of the source
    matrix = make_transform((height, width), size, angle=degrees, scale=unscaled)
    exact = index_transform(matrix) if aligned else matrix
    return by_fours(image, background, lambda part, values: warp(part, exact, size, method, values))


def _enclosing(height: int, width: int, degrees: float) -> tuple[int, int]:
    c, s = abs(cos(radians(degrees))), abs(sin(radians(degrees)))
    return ceil(width * s + height * c - _ROUNDING), ceil(width * c + height * s - _ROUNDING)


@dataclass(frozen=True)
class Rotate(NumberOp):
    """Turns an image counter-clockwise about its middle. With ``enlarge`` the size changes: not for workers then.

    It reads ``rotate``: the angle in degrees. Its own draw is used where the RNG gives none. The draws' ``angle`` does
    the same within a worker's geometry, together with everything else.

    Args:
        rotate_range: of the angle, in degrees.
        prob: how often there is one.
        enlarge: let the result be as large as it takes to hold all of the image.
        interpolation: number or name of the method.
        background: value outside of the image, one or one for each channel.
        aligned: turn about the image's very middle, so that turns by 90 degrees are exact. ``False`` turns about the
            pixel below and right of it (or half a pixel from it), as matrices of OpenCV's ``getRotationMatrix2D`` about
            half of the width and height do.

    Raises:
        ParameterError: the range is not two numbers, or ``prob`` not within 0 and 1.
        ImageError: there is no such interpolation.
    """

    name: ClassVar = "rotate"
    keys: ClassVar[tuple[str, ...]] = ("rotate",)
    idle: ClassVar = 0
    geometric: ClassVar = True
    example: ClassVar[Mapping[str, Any]] = {"rotate_range": (-40, 40), "enlarge": True, "background": 255}

    rotate_range: Range | None = None
    prob: float = 1.0
    enlarge: bool = False
    interpolation: int | str = "linear"
    background: Background = 0
    aligned: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        interpolation_number(self.interpolation)

    @property
    def keeps_size(self) -> bool:
        """Whether the result is as large as the image."""
        return not self.enlarge

    def apply(self, image: Image, values: Mapping[str, Any], random: np.random.Generator) -> Image:
        """Return the turned image; ``random`` is not used.

        Raises:
            ImageError: the number of values in ``background`` does not fit the image.
        """
        method = interpolation_number(self.interpolation)
        return rotated(image, self.value(values), self.enlarge, method, self.background, self.aligned)
