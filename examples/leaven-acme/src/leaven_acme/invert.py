"""Invert: negatives."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leaven import ImageInfo, ParameterError


class Invert:
    """Turns an image into its negative.

    It reads ``invert`` of the draw, a bool.

    Args:
        prob: probability of a negative, where the RNG has not drawn ``invert``.

    Raises:
        ParameterError: ``prob`` is not within 0 to 1.
    """

    keys = ("invert",)

    def __init__(self, prob: float = 0.1) -> None:
        if not 0 <= prob <= 1:
            raise ParameterError(f"prob={prob!r}: expected 0 to 1")
        self.prob = prob

    def draw(self, random: np.random.Generator, info: ImageInfo) -> dict[str, Any]:
        """Return a value for ``invert``."""
        return {"invert": bool(random.random() < self.prob)}

    def applies(self, values: Mapping[str, Any]) -> bool:
        """Return whether the draw says so."""
        return bool(values.get("invert"))

    def apply(self, image: NDArray[Any], values: Mapping[str, Any], random: np.random.Generator) -> NDArray[Any]:
        """Return the negative of an integer image."""
        return np.subtract(np.iinfo(image.dtype).max, image, dtype=image.dtype)
