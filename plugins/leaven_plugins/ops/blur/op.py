"""Blur: Gaussian blur as an op."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import cv2
import numpy as np
from numpy.typing import NDArray

from leaven.protocols import ImageInfo
from leaven_plugins.ops.ranges import Range, check_probability, check_range, within

LEAST = 0.1 / 448
"""Blur of less than a tenth of a pixel in 448 is none."""


def add_blur(image: NDArray[Any], blur: float) -> NDArray[Any]:
    """Return the image under a Gaussian whose sigma is ``blur`` times the image's width.

    ``image`` is ``(height, width, channels)`` and not changed; shape and dtype stay.
    """
    # OpenCV ends a kernel of 8 bits at 3 sigma, where its weights are 0 already. A shorter one (at sigma 0.75, 5 pixels
    # take 82 us and 7 take 154, at 224 x 224 x 3) is rounded differently: single values change by up to 4.
    return cv2.GaussianBlur(image, (0, 0), blur * image.shape[1]).reshape(image.shape)


@dataclass(frozen=True)
class Blur:
    """Blurs by a Gaussian. It reads ``blur``: sigma, relative to the width of the image that it is applied to.

    Its own draw is used where the RNG gives no ``blur``, and there is a range.

    Args:
        blur_range: of the sigma; at 224 pixels, 0.75/224 just takes off an image's sharpness.
        prob: how often there is any.

    Raises:
        ParameterError: the range is not two numbers, or ``prob`` not within 0 and 1.
    """

    name: ClassVar = "blur"
    keys: ClassVar[tuple[str, ...]] = ("blur",)
    example: ClassVar[Mapping[str, Any]] = {"blur_range": (0.75 / 224, 0.02)}

    blur_range: Range | None = None
    prob: float = 1.0

    def __post_init__(self) -> None:
        check_range("blur_range", self.blur_range)
        check_probability("prob", self.prob)

    def draw(self, random: np.random.Generator, info: ImageInfo) -> dict[str, Any]:
        """Return ``blur``; 0 where there is no range for it."""
        whether, chance = random.random(2).tolist()
        if self.blur_range is None or whether >= self.prob:
            return {"blur": 0.0}
        return {"blur": within(self.blur_range, chance)}

    def applies(self, values: Mapping[str, Any]) -> bool:
        """Return whether ``blur`` is large enough to be seen."""
        return (values.get("blur") or 0) > LEAST

    def apply(self, image: NDArray[Any], values: Mapping[str, Any], random: np.random.Generator) -> NDArray[Any]:
        """Return the blurred image; ``random`` is not used."""
        return add_blur(image, values["blur"])
