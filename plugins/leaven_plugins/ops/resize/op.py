"""Resize: another size."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from leaven.errors import ParameterError
from leaven_plugins.ops.depth import prepared
from leaven_plugins.ops.drawn import FixedOp
from leaven_plugins.ops.framing import checked_size, resized, scaled_size
from leaven_plugins.ops.interpolation import interpolation as interpolation_number

Image = NDArray[Any]


@dataclass(frozen=True)
class Resize(FixedOp):
    """Resizes. The image's size changes, so this is for ``Compose`` and not for workers.

    Nothing is drawn: it is done to every image.

    Args:
        size: height and width, in pixels; one number is the shorter side, and the longer one keeps the aspect.
        interpolation: number or name of the method.
        antialias: average where an axis is reduced to half or less, and let ``nearest`` take the middle pixel of each
            group; ``False`` is OpenCV's method and nothing else, which passes over pixels there, and takes the first.

    Raises:
        ParameterError: the size is not positive.
        ImageError: there is no such interpolation.
    """

    name: ClassVar = "resize"
    geometric: ClassVar = True
    keeps_size: ClassVar = False
    example: ClassVar[Mapping[str, Any]] = {"size": (48, 72)}

    size: int | Sequence[int]
    interpolation: int | str = "linear"
    antialias: bool = True

    def __post_init__(self) -> None:
        if not isinstance(self.size, int):
            checked_size("size", self.size)
        elif self.size < 1:
            raise ParameterError(f"size is {self.size!r}; a side has at least one pixel")
        interpolation_number(self.interpolation)

    def apply(self, image: Image, values: Mapping[str, Any], random: np.random.Generator) -> Image:
        """Return the image of ``size``."""
        image = prepared(image)
        size = self._size_for(*image.shape[:2])
        return resized(image, size, interpolation_number(self.interpolation), self.antialias)

    def scaled(self, factor: float) -> Resize:
        """Return the op for images ``factor`` times as large."""
        if isinstance(self.size, int):
            return replace(self, size=max(round(self.size * factor), 1))
        return replace(self, size=scaled_size(self.size, factor))

    def _size_for(self, height: int, width: int) -> tuple[int, int]:
        if not isinstance(self.size, int):
            return checked_size("size", self.size)
        ratio = self.size / min(height, width)
        return max(round(height * ratio), 1), max(round(width * ratio), 1)
