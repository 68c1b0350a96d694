"""Erasing and Cutout: rectangles of an image, filled with something else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from leaven.errors import ParameterError
from leaven.protocols import ImageInfo, Region
from leaven_plugins.ops.boxes import Box, as_fractions, as_pixels, check_rectangles, drawn_size
from leaven_plugins.ops.depth import prepared
from leaven_plugins.ops.erasing.fill import Fill, check_fill, filling
from leaven_plugins.ops.ranges import Range, check_probability

Image = NDArray[Any]

_TRIES = 10


class _Holes:
    name: ClassVar[str]

    fill: Fill

    def applies(self, values: Mapping[str, Any]) -> bool:
        """Return whether there is a rectangle."""
        return bool(values.get(self.name))

    def apply(self, image: Image, values: Mapping[str, Any], random: np.random.Generator) -> Image:
        """Return the image with its rectangles filled; ``random`` is the source of noise in them.

        Raises:
            ImageError: the number of values in ``fill`` does not fit the image.
        """
        erased = prepared(image).copy()
        height, width = erased.shape[:2]
        for box in values[self.name]:
            top, left, bottom, right = as_pixels(box, height, width)
            part = erased[max(top, 0) : bottom, max(left, 0) : right]
            part[:] = filling(self.fill, part.shape, image.dtype, random)
        return erased


@dataclass(frozen=True)
class Erasing(_Holes):
    """Fills rectangles of drawn area, aspect and place ("random erasing").

    It reads ``erasing``: rectangles ``[top, left, bottom, right]`` as fractions of the image's height and width. Its
    own draw is used where the RNG gives none.

    Args:
        prob: how often there are any.
        area_range: of the area of all rectangles together, as a share of the image's.
        ratio_range: of a rectangle's width divided by its height, in pixels; the logarithm is uniform.
        count_range: of the number of rectangles, both ends are drawn.
        fill: what they are filled with: one value, or one for each channel; ``"noise"`` draws each value of each pixel,
            ``"color"`` one colour for each rectangle, uniform over the dtype's range ([0, 1] for floats).

    Raises:
        ParameterError: a range is not what it has to be, ``fill`` is none of these, or ``prob`` not within 0 and 1.
    """

    name: ClassVar = "erasing"
    keys: ClassVar[tuple[str, ...]] = ("erasing",)
    example: ClassVar[Mapping[str, Any]] = {"prob": 1, "count_range": (1, 3)}

    prob: float = 0.5
    area_range: Range = (0.02, 1 / 3)
    ratio_range: Range = (0.3, 1 / 0.3)
    count_range: Sequence[int] = (1, 1)
    fill: Fill = 0

    def __post_init__(self) -> None:
        check_probability("prob", self.prob)
        check_rectangles(self.area_range, self.ratio_range)
        check_fill(self.fill)
        if len(self.count_range) != 2 or not 1 <= self.count_range[0] <= self.count_range[1]:
            raise ParameterError(f"count_range is {self.count_range!r}; it has to be two numbers from 1 on, in order")

    def draw(self, random: np.random.Generator, info: ImageInfo) -> dict[str, Any]:
        """Return rectangles that lie within an image like ``info``; one that does not fit in ten tries is left out."""
        if random.random() >= self.prob:
            return {"erasing": []}
        low, high = self.count_range
        count = low if low == high else int(random.integers(low, high + 1))
        found = (self._rectangle(random, info, count) for _ in range(count))
        return {"erasing": [box for box in found if box is not None]}

    def _rectangle(self, random: np.random.Generator, info: ImageInfo, count: int) -> Box | None:
        for _ in range(_TRIES):
            area = info.height * info.width / count
            height, width = drawn_size(random, area, self.area_range, self.ratio_range)
            if 0 < height <= info.height and 0 < width <= info.width:
                top = int(random.integers(0, info.height - height + 1))
                left = int(random.integers(0, info.width - width + 1))
                return as_fractions(Region(top, left, top + height, left + width), info.height, info.width)
        return None


@dataclass(frozen=True)
class Cutout(_Holes):
    """Fills squares of one size around drawn middles; what lies beyond the borders is lost.

    It reads ``cutout``: rectangles as those of ``erasing``. Its own draw is used where the RNG gives none.

    Args:
        holes: how many squares there are.
        size: side of a square, as a share of the image's shorter side.
        fill: as in :class:`Erasing`.
        prob: how often there are any.

    Raises:
        ParameterError: ``holes`` is below 1, ``size`` not within 0 and 1, ``fill`` is nothing that can be filled in, or
            ``prob`` not within 0 and 1.
    """

    name: ClassVar = "cutout"
    keys: ClassVar[tuple[str, ...]] = ("cutout",)
    example: ClassVar[Mapping[str, Any]] = {"holes": 2, "size": 0.4}

    holes: int = 1
    size: float = 0.5
    fill: Fill = 0
    prob: float = 1.0

    def __post_init__(self) -> None:
        check_probability("prob", self.prob)
        check_fill(self.fill)
        if self.holes < 1 or not 0 < self.size <= 1:
            raise ParameterError(f"holes, size are {self.holes!r}, {self.size!r}; there is at least one, of 0 to 1")

    def draw(self, random: np.random.Generator, info: ImageInfo) -> dict[str, Any]:
        """Return the squares, as far as they lie within an image like ``info``."""
        if random.random() >= self.prob:
            return {"cutout": []}
        side = max(round(self.size * min(info.height, info.width)), 1)
        middles = random.random((self.holes, 2)).tolist()
        return {"cutout": [self._square(down, along, side, info) for down, along in middles]}

    def _square(self, down: float, along: float, side: int, info: ImageInfo) -> Box:
        top, left = int(down * info.height) - side // 2, int(along * info.width) - side // 2
        bottom, right = min(top + side, info.height), min(left + side, info.width)
        return as_fractions(Region(max(top, 0), max(left, 0), bottom, right), info.height, info.width)
