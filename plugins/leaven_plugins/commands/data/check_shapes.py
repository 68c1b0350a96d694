"""Shapes: images are images, and masks are as large as what they mask."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from leaven.errors import DecodeError, printable
from leaven_plugins.commands.data.checks import Seen, about
from leaven_plugins.datasets.findings import Finding

if TYPE_CHECKING:
    from leaven.protocols import Decoder

MASKS = ("mask", "label_image", "target_image", "instance_image", "disparity_image", "boundary")
"""Fields that are about each pixel of ``image``."""

_ADVICE = "correct it, or leave the sample out (--repair)"


class ShapeCheck:
    """Checks ``image`` and the fields that are masks of it, encoded or arrays of ``(H, W)`` or ``(H, W, C)``."""

    def __init__(self, decoder: Decoder) -> None:
        self._decoder = decoder

    def look(self, sample: Seen) -> Iterator[Finding]:
        """Return what is wrong with its image and masks."""
        image = sample.fields.get("image")
        if image is not None and not isinstance(image, (bytes, np.ndarray, list, tuple)):
            text = f"'image' is {type(image).__name__} {printable(repr(image), 40)}, not the bytes of one"
            yield about(sample, "image", text, _ADVICE)
            return
        for name in MASKS:
            mask = sample.fields.get(name)
            if isinstance(mask, (bytes, np.ndarray)):
                yield from self._compared(sample, name, mask, image)

    def rest(self) -> Iterator[Finding]:
        """Return nothing: all was said."""
        return iter(())

    def _compared(self, sample: Seen, name: str, mask: Any, image: Any) -> Iterator[Finding]:
        try:
            shape = self._shape(mask)
        except DecodeError as error:
            yield about(sample, "image", f"'{name}' is no image: {error}", _ADVICE)
            return
        try:
            whole = self._shape(image)
        except DecodeError:  # which decoding it tells
            return
        if shape and whole and shape not in (whole, whole[::-1] if self._is_turned(image) else whole):
            text = f"'{name}' has {shape[0]} x {shape[1]} pixels, but 'image' has {whole[0]} x {whole[1]}"
            yield about(sample, "shape", text, _ADVICE)

    def _shape(self, image: Any) -> tuple[int, int] | None:
        """Return height and width."""
        if isinstance(image, np.ndarray) and image.ndim in (2, 3):
            return int(image.shape[0]), int(image.shape[1])
        if isinstance(image, bytes):
            info = self._decoder.info(image)
            return info.height, info.width
        return None

    def _is_turned(self, image: Any) -> bool:
        """Return whether EXIF turns the image by 90 degrees, which a mask may be before or after."""
        return isinstance(image, bytes) and self._decoder.info(image).orientation >= 5
