"""Jpeg and Webp: the traces that lossy compression leaves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import cv2
import numpy as np
from numpy.typing import NDArray

from leaven_plugins.ops.depth import from_unit, prepared, to_unit
from leaven_plugins.ops.drawn import NumberOp
from leaven_plugins.ops.errors import ImageError
from leaven_plugins.ops.ranges import Range

Image = NDArray[Any]

_BYTE = np.dtype(np.uint8)


def recoded(image: Image, suffix: str, quality: int) -> Image:
    """Return an image after it was a file.

    Three channels are stored as RGB; of any other number of channels, each is stored as a grey image. What has not 8
    bits has only as much as 8 bits hold after it.

    Args:
        image: ``(height, width, channels)``; not changed.
        suffix: ``".jpg"`` or ``".webp"``.
        quality: 1 to 100.

    Raises:
        ImageError: the image is too large for the format.
    """
    image = prepared(image)
    pixels = image if image.dtype == np.uint8 else from_unit(to_unit(image), _BYTE)
    if image.shape[2] == 3:
        bgr = cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR)
        stored = cv2.cvtColor(_through_file(bgr, suffix, quality, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)
    else:
        planes = [_through_file(plane, suffix, quality, cv2.IMREAD_GRAYSCALE) for plane in cv2.split(pixels)]
        stored = cv2.merge(planes).reshape(image.shape)
    return stored if image.dtype == np.uint8 else from_unit(to_unit(stored), image.dtype)


def _through_file(pixels: Image, suffix: str, quality: int, mode: int) -> Image:
    flag = cv2.IMWRITE_JPEG_QUALITY if suffix == ".jpg" else cv2.IMWRITE_WEBP_QUALITY
    try:
        done, data = cv2.imencode(suffix, pixels, [flag, quality])
    except cv2.error as error:
        raise ImageError(f"an image of {pixels.shape} cannot be stored as {suffix}: {error.err}") from error
    if not done:
        raise ImageError(f"an image of {pixels.shape} cannot be stored as {suffix}")
    return np.asarray(cv2.imdecode(data, mode))


class _Compression(NumberOp):
    lowest = 1
    highest = 100
    whole = True

    _suffix: ClassVar[str]

    def apply(self, image: Image, values: Mapping[str, Any], random: np.random.Generator) -> Image:
        """Return the image as it is read from the file; ``random`` is not used.

        Raises:
            ImageError: the quality is out of range, or the image too large for the format.
        """
        return recoded(image, self._suffix, self.value(values))


@dataclass(frozen=True)
class Jpeg(_Compression):
    """Shows what JPEG leaves of an image.

    It reads ``jpeg``: the quality, an integer within 1 and 100. Its own draw is used where the RNG gives none. Images
    of other than 8 bits come back with as much as 8 bits hold.

    Args:
        jpeg_range: of the quality; both ends are drawn.
        prob: how often there is one.

    Raises:
        ParameterError: the range is not two numbers within 1 and 100, or ``prob`` not within 0 and 1.
    """

    name: ClassVar = "jpeg"
    keys: ClassVar[tuple[str, ...]] = ("jpeg",)
    _suffix: ClassVar = ".jpg"
    example: ClassVar[Mapping[str, Any]] = {"jpeg_range": (1, 60)}

    jpeg_range: Range | None = None
    prob: float = 1.0


@dataclass(frozen=True)
class Webp(_Compression):
    """Shows what WebP leaves of an image; it takes some ten times as long as JPEG.

    It reads ``webp``: the quality, an integer within 1 and 100. Its own draw is used where the RNG gives none. Images
    of other than 8 bits come back with as much as 8 bits hold.

    Args:
        webp_range: of the quality; both ends are drawn.
        prob: how often there is one.

    Raises:
        ParameterError: the range is not two numbers within 1 and 100, or ``prob`` not within 0 and 1.
    """

    name: ClassVar = "webp"
    keys: ClassVar[tuple[str, ...]] = ("webp",)
    _suffix: ClassVar = ".webp"
    example: ClassVar[Mapping[str, Any]] = {"webp_range": (1, 60)}

    webp_range: Range | None = None
    prob: float = 1.0
