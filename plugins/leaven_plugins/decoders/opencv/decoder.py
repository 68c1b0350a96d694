"""OpenCVDecoder: image files to pixels by OpenCV."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from leaven.errors import DecodeError, ParameterError
from leaven.protocols import Decoded, ImageInfo, Region
from leaven_plugins.decoders.opencv.headers import Header, read_header
from leaven_plugins.decoders.opencv.orientation import mirrored, oriented, swaps_axes

# cv2.IMREAD_REDUCED_*: the JPEG decoder leaves out DCT coefficients, which is both faster and better than sampling.
_REDUCED_COLOR = {
    1: cv2.IMREAD_COLOR,
    2: cv2.IMREAD_REDUCED_COLOR_2,
    4: cv2.IMREAD_REDUCED_COLOR_4,
    8: cv2.IMREAD_REDUCED_COLOR_8,
}
_REDUCED_GRAY = {
    1: cv2.IMREAD_GRAYSCALE,
    2: cv2.IMREAD_REDUCED_GRAYSCALE_2,
    4: cv2.IMREAD_REDUCED_GRAYSCALE_4,
    8: cv2.IMREAD_REDUCED_GRAYSCALE_8,
}
_TO_RGB = {3: cv2.COLOR_BGR2RGB, 4: cv2.COLOR_BGRA2RGBA}


@dataclass(frozen=True)
class OpenCVDecoder:
    """JPEG, PNG, BMP, GIF (first frame), WebP and TIFF.

    JPEGs are reduced to 1/2, 1/4 or 1/8 while they are decoded, where that is asked for; a region is not cut out: the
    whole image is returned. EXIF orientation is applied.

    Args:
        max_pixels: an image of more pixels, by its header, is refused before memory is allocated for it.

    Raises:
        ParameterError: ``max_pixels`` is not positive.
    """

    max_pixels: int = 178_956_970

    def __post_init__(self) -> None:
        if self.max_pixels < 1:
            raise ParameterError(f"max_pixels is {self.max_pixels}; it has to be positive")

    def info(self, data: bytes) -> ImageInfo:
        """Return what the header says; ``channels`` are those of ``decode(color=False)``.

        Raises:
            DecodeError: empty, unknown, cut off within the header, or over ``max_pixels``.
        """
        return _info(self._header(_as_bytes(data)))

    def decode(
        self, data: bytes, *, color: bool = True, region: Region | None = None, min_scale: float = 1.0
    ) -> Decoded:
        """Return the whole image, at the smallest scale of at least ``min_scale`` that its format offers.

        ``color=True`` gives uint8 RGB; ``color=False`` keeps depth and channels of the file (RGB and RGBA order,
        palettes expanded), always with three axes. Of an image that was reduced and turned upright, the returned region
        may begin before 0, where its outermost pixels are not filled.

        Raises:
            DecodeError: as :meth:`info`, or the pixels are cut off, damaged, or of a kind that OpenCV does not read.
        """
        data = _as_bytes(data)
        header = self._header(data)
        if not header.complete:
            raise DecodeError(f"{_title(header)} is cut off: the end of the file is missing after {len(data)} bytes")
        reduction = _reduction(header, min_scale)
        image = _pixels(data, header, _flags(header, color, reduction))
        expected = _size(header, reduction)
        if header.format != "tiff":  # OpenCV orients those itself, whatever the flags
            image = oriented(image, header.orientation)
        if image.shape[:2] != expected:
            decoded = f"{image.shape[0]} x {image.shape[1]}"
            raise DecodeError(f"{_title(header)} contradicts its header: {decoded} were decoded")
        return Decoded(_channels_last(image), _region(header, reduction), 1.0 / reduction)

    def _header(self, data: bytes) -> Header:
        header = read_header(data)
        if header.height * header.width > self.max_pixels:
            raise DecodeError(f"{_title(header)} is over the limit of {self.max_pixels} pixels (max_pixels)")
        return header


def _info(header: Header) -> ImageInfo:
    return ImageInfo(*_size(header), header.channels, header.orientation)


def _size(header: Header, reduction: int = 1) -> tuple[int, int]:
    """Return height and width of the upright image; a reduced one is rounded up."""
    height, width = -(-header.height // reduction), -(-header.width // reduction)
    return (width, height) if swaps_axes(header.orientation) else (height, width)


def _region(header: Header, reduction: int) -> Region:
    """Return what the pixels cover: the image, and what the outermost reduced pixels reach beyond its start."""
    height, width = _size(header)
    rows, columns = _size(header, reduction)
    upwards, backwards = mirrored(header.orientation)
    return Region(
        height - rows * reduction if upwards else 0, width - columns * reduction if backwards else 0, height, width
    )


def _title(header: Header) -> str:
    return f"{header.format} image of {header.height} x {header.width} pixels"


def _as_bytes(data: Any) -> bytes:
    if not isinstance(data, (bytes, bytearray, memoryview)):
        raise DecodeError(f"expected the bytes of an image file, not {type(data).__name__}")
    return bytes(data)


def _reduction(header: Header, min_scale: float) -> int:
    """Return the largest of 8, 4, 2, 1 by which the image can be reduced."""
    if header.format != "jpeg":
        return 1
    return next((factor for factor in (8, 4, 2) if 1 / factor >= min_scale), 1)


def _flags(header: Header, color: bool, reduction: int) -> int:
    if header.format == "jpeg":  # always 8 bits of 1 or 3 channels, and "unchanged" cannot be reduced
        flags = (_REDUCED_COLOR if color or header.channels == 3 else _REDUCED_GRAY)[reduction]
        return flags | cv2.IMREAD_IGNORE_ORIENTATION
    return cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION if color else cv2.IMREAD_UNCHANGED


def _pixels(data: bytes, header: Header, flags: int) -> NDArray[Any]:
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    except cv2.error as error:
        raise DecodeError(f"{_title(header)} cannot be decoded: {str(error.err).lower()}") from error
    if image is None:
        raise DecodeError(f"{_title(header)} cannot be decoded: it is damaged, or of a kind that OpenCV does not read")
    conversion = _TO_RGB.get(image.shape[2]) if image.ndim == 3 else None
    return image if conversion is None else _reordered(image, conversion)


def _reordered(image: NDArray[Any], conversion: int) -> NDArray[Any]:
    if image.dtype in (np.uint8, np.uint16, np.float32):
        return cv2.cvtColor(image, conversion, image)
    order = [2, 1, 0, 3][: image.shape[2]]
    return np.ascontiguousarray(image[:, :, order])


def _channels_last(image: NDArray[Any]) -> NDArray[Any]:
    return image[:, :, None] if image.ndim == 2 else image
