"""Brighten, ContrastFactor and Saturate: mixtures of an image with black, with its mean grey, with its own greys."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import cv2
import numpy as np
from numpy.typing import NDArray

from leaven_plugins.ops.depth import blend, limits, prepared
from leaven_plugins.ops.drawn import NumberOp
from leaven_plugins.ops.luma import luma_weights, mean_luma
from leaven_plugins.ops.ranges import Range

Image = NDArray[Any]


def brighten(image: Image, factor: float) -> Image:
    """Return an image with its values, counted from black, multiplied by ``factor`` and clipped."""
    image = prepared(image)
    return blend(image, limits(image.dtype)[0], factor)


def contrast_factor(image: Image, factor: float) -> Image:
    """Return an image with the distance of its values from its mean brightness multiplied by ``factor``; clipped."""
    image = prepared(image)
    return blend(image, mean_luma(image), factor)


def saturate(image: Image, factor: float) -> Image:
    """Return an RGB image with the distance of its values from the pixel's brightness multiplied by ``factor``.

    Values are clipped. An image of another number of channels has no saturation, and is returned as it is.
    """
    if image.shape[2] != 3:
        return image
    image = prepared(image)
    matrix = factor * np.eye(3) + (1 - factor) * luma_weights(3)
    changed = cv2.transform(image, matrix)  # 22 us at 224 x 224, a grey image and a weighted sum take 45
    return changed.clip(0, 1) if image.dtype.kind == "f" else changed


class _Factor(NumberOp):
    idle = 1
    lowest = 0


@dataclass(frozen=True)
class Brighten(_Factor):
    """Multiplies an image's values by a factor.

    It reads ``brighten``: 0 is black, 1 as it was, 2 twice as bright. Its own draw is used where the RNG gives none.
    ``brightness``, the other way to change it, belongs to :class:`~leaven_plugins.ops.tone.Tone`.

    Args:
        brighten_range: of the factor, not negative.
        prob: how often there is one.

    Raises:
        ParameterError: the range is not two numbers of 0 or more, or ``prob`` not within 0 and 1.
    """

    name: ClassVar = "brighten"
    keys: ClassVar[tuple[str, ...]] = ("brighten",)
    example: ClassVar[Mapping[str, Any]] = {"brighten_range": (0.3, 1.8)}

    brighten_range: Range | None = None
    prob: float = 1.0

    def apply(self, image: Image, values: Mapping[str, Any], random: np.random.Generator) -> Image:
        """Return the image of other brightness, clipped to its dtype's range; ``random`` is not used."""
        return brighten(image, self.value(values))


@dataclass(frozen=True)
class ContrastFactor(_Factor):
    """Multiplies the distances of an image's values from its mean brightness by a factor.

    It reads ``contrast_factor``: 0 is all grey, 1 as it was, 2 twice the contrast. Its own draw is used where the RNG
    gives none. ``contrast``, the other way to change it, belongs to :class:`~leaven_plugins.ops.tone.Tone`.

    Args:
        contrast_factor_range: of the factor, not negative.
        prob: how often there is one.

    Raises:
        ParameterError: the range is not two numbers of 0 or more, or ``prob`` not within 0 and 1.
    """

    name: ClassVar = "contrast_factor"
    keys: ClassVar[tuple[str, ...]] = ("contrast_factor",)
    example: ClassVar[Mapping[str, Any]] = {"contrast_factor_range": (0.2, 2)}

    contrast_factor_range: Range | None = None
    prob: float = 1.0

    def apply(self, image: Image, values: Mapping[str, Any], random: np.random.Generator) -> Image:
        """Return the image of other contrast, clipped to its dtype's range; ``random`` is not used."""
        return contrast_factor(image, self.value(values))


@dataclass(frozen=True)
class Saturate(_Factor):
    """Multiplies the distances of a pixel's values from its brightness by a factor.

    It reads ``saturate``: 0 is grey, 1 as it was, 2 twice as colourful. Its own draw is used where the RNG gives none.
    Images of other than three channels stay as they are.

    Args:
        saturate_range: of the factor, not negative.
        prob: how often there is one.

    Raises:
        ParameterError: the range is not two numbers of 0 or more, or ``prob`` not within 0 and 1.
    """

    name: ClassVar = "saturate"
    keys: ClassVar[tuple[str, ...]] = ("saturate",)
    example: ClassVar[Mapping[str, Any]] = {"saturate_range": (0, 2.5)}

    saturate_range: Range | None = None
    prob: float = 1.0

    def apply(self, image: Image, values: Mapping[str, Any], random: np.random.Generator) -> Image:
        """Return the image of other saturation, clipped to its dtype's range; ``random`` is not used."""
        return saturate(image, self.value(values))
