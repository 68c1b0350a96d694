"""Resizing the images of samples before they are packed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from leaven.errors import DecodeError, ParameterError, SampleError
from leaven.protocols import Decoder, ImageInfo
from leaven_plugins.datasets.jpeg_index import FIELD, is_index

_PNG = b"\x89PNG"
_QUALITY = 95


class Resizer:
    """Makes images smaller until their shorter side has ``side`` pixels; smaller ones keep their bytes.

    PNG stays PNG, everything else becomes JPEG of quality 95; grey stays grey, and depth and alpha are lost.

    Raises:
        ParameterError: ``side`` is less than 1.
    """

    def __init__(self, decoder: Decoder, side: int) -> None:
        if side < 1:
            raise ParameterError(f"resize must be at least 1 pixel, not {side}")
        self._decoder = decoder
        self._side = side

    def __call__(self, sample: Mapping[Any, Any], index: int) -> dict[Any, Any]:
        """Return the sample with its ``image`` resized.

        Raises:
            SampleError: there is no image that can be decoded, or there are others beside it, such as a mask, which
                would no longer fit.
        """
        key, data = str(sample.get("key", "")), sample.get("image")
        if not isinstance(data, bytes):
            raise SampleError("no bytes under 'image' to resize", index=index, key=key, stage="resize")
        others = [field for field, value in sample.items() if field != "image" and self._is_image(value)]
        if others:
            text = f"'image' alone can be resized, but {others[0]!r} is an image as well"
            raise SampleError(text, index=index, key=key, stage="resize")
        try:
            image = self._resized(data)
        except DecodeError as error:
            raise SampleError(str(error), index=index, key=key, stage="decode", cause_type="DecodeError") from error
        if image is not data and is_index(sample.get(FIELD)):  # an index of the former image is of no use
            sample = {field: value for field, value in sample.items() if field != FIELD}
        return {**sample, "image": image}

    def _resized(self, data: bytes) -> bytes:
        info = self._decoder.info(data)
        scale = min(1.0, self._side / min(info.height, info.width))
        image = self._decoder.decode(data, min_scale=scale).image  # small ones as well: a broken one is found now
        return data if scale == 1 else _encoded(image, info, scale, ".png" if data.startswith(_PNG) else ".jpg")

    def _is_image(self, value: Any) -> bool:
        try:
            return isinstance(value, bytes) and bool(self._decoder.info(value))
        except DecodeError:
            return False


def _encoded(image: NDArray[np.uint8], info: ImageInfo, scale: float, suffix: str) -> bytes:
    size = max(1, round(info.width * scale)), max(1, round(info.height * scale))
    channels = image[..., 0] if info.channels == 1 else image[..., ::-1]
    small = cv2.resize(np.ascontiguousarray(channels), size, interpolation=cv2.INTER_AREA)
    return cv2.imencode(suffix, small, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])[1].tobytes()
