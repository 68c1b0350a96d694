"""Grayscale: colour images to grey ones of as many channels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import cv2
import numpy as np
from numpy.typing import NDArray

from leaven_plugins.ops.depth import prepared
from leaven_plugins.ops.drawn import DecisionOp
from leaven_plugins.ops.luma import luma

Image = NDArray[Any]


@dataclass(frozen=True)
class Grayscale(DecisionOp):
    """Makes an image grey: each channel shows the pixel's brightness.

    The brightness is that of ITU-R BT.601 (0.299 red, 0.587 green, 0.114 blue); of other than three channels, it is
    their mean. It reads ``grayscale`` (a bool). Its own draw is used where the RNG gives none.

    Args:
        prob: how often.

    Raises:
        ParameterError: ``prob`` is not within 0 and 1.
    """

    name: ClassVar = "grayscale"
    keys: ClassVar[tuple[str, ...]] = ("grayscale",)
    example: ClassVar[Mapping[str, Any]] = {"prob": 0.5}

    prob: float = 1.0

    def apply(self, image: Image, values: Mapping[str, Any], random: np.random.Generator) -> Image:
        """Return the grey image, of as many channels; ``random`` is not used."""
        image = prepared(image)
        channels = image.shape[2]
        if channels == 1:
            return image
        if channels == 3 and image.dtype != np.int16:
            return cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
        return np.repeat(luma(image)[:, :, None], channels, axis=2)
