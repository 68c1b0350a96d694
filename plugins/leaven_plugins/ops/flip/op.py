"""Flip: mirrored images."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import cv2
import numpy as np
from numpy.typing import NDArray

from leaven.protocols import ImageInfo
from leaven_plugins.ops.depth import prepared
from leaven_plugins.ops.ranges import check_probability

Image = NDArray[Any]


@dataclass(frozen=True)
class Flip:
    """Exchanges left and right, or top and bottom, or both.

    It reads ``flip_left_right`` and ``flip_top_bottom`` (bools). Its own draw is used where the RNG gives none. The
    draws' ``hmirror`` and ``vmirror`` do the same within a worker's geometry, at no cost.

    Args:
        left_right: how often left and right are exchanged.
        top_bottom: how often top and bottom are exchanged.

    Raises:
        ParameterError: a probability is not within 0 and 1.
    """

    name: ClassVar = "flip"
    keys: ClassVar[tuple[str, ...]] = ("flip_left_right", "flip_top_bottom")
    geometric: ClassVar = True
    example: ClassVar[Mapping[str, Any]] = {"left_right": 0.5, "top_bottom": 0.5}

    left_right: float = 0.5
    top_bottom: float = 0.0

    def __post_init__(self) -> None:
        check_probability("left_right", self.left_right)
        check_probability("top_bottom", self.top_bottom)

    def draw(self, random: np.random.Generator, info: ImageInfo) -> dict[str, Any]:
        """Return a decision for each of the two."""
        along, down = random.random(2).tolist()
        return {"flip_left_right": along < self.left_right, "flip_top_bottom": down < self.top_bottom}

    def applies(self, values: Mapping[str, Any]) -> bool:
        """Return whether anything is exchanged."""
        return bool(values.get("flip_left_right") or values.get("flip_top_bottom"))

    def apply(self, image: Image, values: Mapping[str, Any], random: np.random.Generator) -> Image:
        """Return the mirrored image; ``random`` is not used."""
        along, down = values.get("flip_left_right"), values.get("flip_top_bottom")
        if not (along or down):
            return image
        return cv2.flip(prepared(image), -1 if along and down else 1 if along else 0).reshape(image.shape)
