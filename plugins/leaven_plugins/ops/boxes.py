"""Boxes: rectangles of an image, as fractions of its height and width."""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, log, sqrt

import numpy as np

from leaven.errors import ParameterError
from leaven.protocols import Region
from leaven_plugins.ops.ranges import Range, check_range

Box = list[float]
"""``[top, left, bottom, right]``, 0 and 1 are the image's borders."""


def drawn_size(
    random: np.random.Generator, area: float, area_range: Range, ratio_range: Range, ratio: float = 1
) -> tuple[int, int]:
    """Return height and width of a rectangle, in pixels.

    Args:
        random: draws a share of ``area``, uniform, and a width divided by a height, uniform in its logarithm.
        area: of the image, in pixels.
        area_range: of the share.
        ratio_range: of width divided by height.
        ratio: the drawn one is multiplied by it.
    """
    wanted = area * random.uniform(area_range[0], area_range[1])
    stretch = ratio * exp(random.uniform(log(ratio_range[0]), log(ratio_range[1])))
    return round(sqrt(wanted / stretch)), round(sqrt(wanted * stretch))


def as_fractions(region: Region, height: int, width: int) -> Box:
    """Return a rectangle of pixels as fractions of an image of this size."""
    return [region.top / height, region.left / width, region.bottom / height, region.right / width]


def as_pixels(box: Sequence[float], height: int, width: int) -> Region:
    """Return a rectangle in whole pixels of an image of this size."""
    top, left, bottom, right = box
    return Region(round(top * height), round(left * width), round(bottom * height), round(right * width))


def check_rectangles(area_range: Range, ratio_range: Range) -> None:
    """Check the ranges that rectangles are drawn from.

    Raises:
        ParameterError: one is not two numbers, or not positive, or an area is above 1.
    """
    check_range("area_range", area_range)
    check_range("ratio_range", ratio_range)
    if not 0 < min(area_range) <= max(area_range) <= 1:
        raise ParameterError(f"area_range is {area_range!r}; shares of the area are above 0 and at most 1")
    if min(ratio_range) <= 0:
        raise ParameterError(f"ratio_range is {ratio_range!r}; width divided by height is positive")
