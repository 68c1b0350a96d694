"""Overlays: masks, maps, points and outlines drawn over a picture. Pictures are RGB ``(height, width, 3)`` uint8."""

from __future__ import annotations

from collections.abc import Iterable
from colorsys import hsv_to_rgb
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from leaven_plugins.commands.show.lettering import Colour, Pixels

_SHARE = 0.45  # of the overlay in the mixture of both
_VOID = (150, 150, 150)
POINT, PEAK = (255, 60, 40), (252, 255, 164)
"""Colours of points, and of the largest value of a map."""
_RIM = (255, 255, 255)
_SUBPIXEL = 4  # bits behind the point, in coordinates of OpenCV's drawing


def with_mask(picture: Pixels, mask: NDArray[Any]) -> Pixels:
    """Return the picture with each class of a mask in its colour, and an outline around it; class 0 stays as it is.

    ``mask`` is ``(height, width)`` of whole numbers, of any size: it is stretched over the picture, pixel by pixel.
    """
    height, width = picture.shape[:2]
    labels = mask[_nearest(height, mask.shape[0])[:, None], _nearest(width, mask.shape[1])].astype(np.int32)
    classes, places = np.unique(labels, return_inverse=True)
    colours = np.array([class_colour(int(number)) for number in classes], np.float32)[places.reshape(height, width)]
    mixed = picture * (1 - _SHARE) + colours * _SHARE
    mixed = np.where(_outlines(labels)[..., None], colours, mixed)
    return np.where((labels != 0)[..., None], mixed.round(), picture).astype(np.uint8)


def class_colour(number: int) -> Colour:
    """Return the colour of a class: neighbouring numbers are far apart; 255 and negative ones, "void", are grey."""
    if number < 0 or number == 255:
        return _VOID
    red, green, blue = hsv_to_rgb(number * 0.618034 % 1, 0.75, 1.0)  # steps of the golden section never meet
    return round(red * 255), round(green * 255), round(blue * 255)


def with_heat(picture: Pixels, heat: NDArray[Any]) -> Pixels:
    """Return the picture in grey under a map: its largest value in bright yellow, 0 transparent.

    ``heat`` is ``(height, width)`` of numbers, of any size: it is stretched over the picture.
    """
    height, width = picture.shape[:2]
    stretched = cv2.resize(np.nan_to_num(heat.astype(np.float32)), (width, height), interpolation=cv2.INTER_LINEAR)
    values = np.asarray(stretched / max(float(stretched.max()), 1e-12), np.float32).clip(0, 1)
    colours = cv2.applyColorMap((values * 255).astype(np.uint8), cv2.COLORMAP_INFERNO)[..., ::-1]
    grey = np.repeat(cv2.cvtColor(np.ascontiguousarray(picture), cv2.COLOR_RGB2GRAY)[..., None], 3, 2)
    share = 0.75 * np.sqrt(values)[..., None]  # the root lets the slopes be seen, too
    return np.asarray((grey * (1 - share) + colours * share).round(), np.uint8)


def with_points(picture: Pixels, points: Iterable[tuple[float, float]], radius: float = 0) -> Pixels:
    """Return the picture with a dot on each point.

    Args:
        picture: not changed.
        points: ``(x, y)`` in pixels; (0, 0) is the corner of the first one.
        radius: of the dots, in pixels; by default one that suits the picture.
    """
    drawn = np.array(picture)
    radius = radius or max(3.0, max(picture.shape[:2]) / 90)
    for x, y in points:
        for size, colour in ((radius + 1, _RIM), (radius, POINT)):
            centre = (_fixed(x - 0.5), _fixed(y - 0.5))
            cv2.circle(drawn, centre, _fixed(size), colour, cv2.FILLED, cv2.LINE_AA, _SUBPIXEL)
    return drawn


def with_outline(picture: Pixels, corners: NDArray[Any], colour: Colour = POINT) -> Pixels:
    """Return the picture with a closed line through ``corners``, ``(n, 2)`` of x and y in pixels."""
    drawn = np.array(picture)
    line = np.array([[_fixed(x - 0.5), _fixed(y - 0.5)] for x, y in corners], np.int32)
    for thickness, tone in ((4, _RIM), (2, colour)):
        cv2.polylines(drawn, [line], True, tone, thickness, cv2.LINE_AA, _SUBPIXEL)
    return drawn


def beside(left: Pixels, right: Pixels, gap: int = 2) -> Pixels:
    """Return two pictures of the same height side by side."""
    between = np.full((left.shape[0], gap, 3), 255, np.uint8)
    return np.concatenate([left, between, right], axis=1)


def _nearest(length: int, available: int) -> NDArray[np.intp]:
    """Return which of the ``available`` places each of ``length`` ones lies over."""
    return ((np.arange(length) + 0.5) * available / length).astype(np.intp)


def _outlines(labels: NDArray[Any]) -> NDArray[np.bool_]:
    """Return where a neighbour is of another class."""
    kernel = np.ones((3, 3), np.uint8)
    codes = labels.astype(np.float32)
    return np.asarray(cv2.dilate(codes, kernel) != cv2.erode(codes, kernel))


def _fixed(value: float) -> int:
    return round(value * (1 << _SUBPIXEL))
