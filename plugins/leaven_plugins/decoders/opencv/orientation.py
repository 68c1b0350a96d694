"""Orientation: the eight ways in which a camera was held (EXIF), and how pixels are turned upright."""

from __future__ import annotations

from typing import Any

import cv2
from numpy.typing import NDArray

from leaven_plugins.decoders.opencv.tiff import tags_of

_ORIENTATION = 274
_FLIPS = {2: 1, 3: -1, 4: 0, 6: 1, 7: -1, 8: 0}  # cv2.flip's code, after axes have changed places


def orientation_of(data: bytes) -> int:
    """Return the orientation (1-8) in a block of EXIF; 1 where there is none, or none that makes sense.

    Cameras and editors write broken blocks; the picture is good nevertheless.
    """
    try:
        orientation = tags_of(data).get(_ORIENTATION, 1)
    except ValueError:
        return 1
    return orientation if 1 <= orientation <= 8 else 1


def swaps_axes(orientation: int) -> bool:
    """Return whether height and width change places."""
    return orientation >= 5


def mirrored(orientation: int) -> tuple[bool, bool]:
    """Return whether rows and columns of the upright image run against those stored, after a change of axes."""
    flip = _FLIPS.get(orientation)
    return flip in (0, -1), flip in (1, -1)


def oriented(image: NDArray[Any], orientation: int) -> NDArray[Any]:
    """Return the pixels as they are meant to be seen; ``image`` itself for orientation 1."""
    if swaps_axes(orientation):
        image = cv2.transpose(image)
    flip = _FLIPS.get(orientation)
    return image if flip is None else cv2.flip(image, flip)
