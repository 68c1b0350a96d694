"""RandomResizedCrop, RandomCrop and CenterCrop: parts of an image."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from leaven.protocols import ImageInfo, Region
from leaven_plugins.ops.boxes import as_fractions, as_pixels, check_rectangles, drawn_size
from leaven_plugins.ops.depth import prepared
from leaven_plugins.ops.drawn import FixedOp
from leaven_plugins.ops.framing import (
    Background,
    checked_margins,
    checked_mode,
    checked_size,
    cut,
    resized,
    scaled_size,
)
from leaven_plugins.ops.interpolation import interpolation as interpolation_number
from leaven_plugins.ops.ranges import Range

Image = NDArray[Any]

_TRIES = 10


@dataclass(frozen=True)
class RandomResizedCrop:
    """Cuts out a part of drawn area and aspect, and resizes it. With a ``size`` that changes: not for workers then.

    It reads ``random_resized_crop``: ``[top, left, bottom, right]`` as fractions of the image's height and width. Its
    own draw is used where the RNG gives none. The RNG of the same name does this within a worker's geometry, where it
    spares decoding what is cut off.

    Args:
        size: height and width of the result, in pixels; ``None`` for those of the image.
        area_range: of the part's area, as a share of the image's.
        ratio_range: of the part's width divided by its height; the logarithm is uniform.
        relative: let a ratio of 1 stand for the image's own, not for a square.
        central: cut out of the middle.
        interpolation: number or name of the method; what is reduced to half or less is averaged.

    Raises:
        ParameterError: a size or a range is not what it has to be.
        ImageError: there is no such interpolation.
    """

    name: ClassVar = "random_resized_crop"
    keys: ClassVar[tuple[str, ...]] = ("random_resized_crop",)
    geometric: ClassVar = True

    size: Sequence[int] | None = None
    area_range: Range = (0.08, 1.0)
    ratio_range: Range = (3 / 4, 4 / 3)
    relative: bool = False
    central: bool = False
    interpolation: int | str = "linear"

    def __post_init__(self) -> None:
        if self.size is not None:
            checked_size("size", self.size)
        check_rectangles(self.area_range, self.ratio_range)
        interpolation_number(self.interpolation)

    @property
    def keeps_size(self) -> bool:
        """Whether the result is as large as the image."""
        return self.size is None

    def draw(self, random: np.random.Generator, info: ImageInfo) -> dict[str, Any]:
        """Return a part of an image like ``info``; if none fits in ten tries, the largest of an allowed aspect."""
        return {"random_resized_crop": as_fractions(self._region(random, info), info.height, info.width)}

    def applies(self, values: Mapping[str, Any]) -> bool:
        """Return whether there is a part."""
        return bool(values.get("random_resized_crop"))

    def apply(self, image: Image, values: Mapping[str, Any], random: np.random.Generator) -> Image:
        """Return the part, ``(*size, channels)``; ``random`` is not used."""
        image = prepared(image)
        part = cut(image, as_pixels(values["random_resized_crop"], *image.shape[:2]))
        return resized(part, self.size or image.shape[:2], interpolation_number(self.interpolation))

    def scaled(self, factor: float) -> RandomResizedCrop:
        """Return the op for images ``factor`` times as large."""
        return replace(self, size=self.size and scaled_size(self.size, factor))

    def _region(self, random: np.random.Generator, info: ImageInfo) -> Region:
        own = info.width / info.height if self.relative else 1.0
        for _ in range(_TRIES):
            area = info.height * info.width
            height, width = drawn_size(random, area, self.area_range, self.ratio_range, own)
            if 0 < height <= info.height and 0 < width <= info.width:
                return self._placed(random, height, width, info)
        lowest, highest = sorted(limit * own for limit in self.ratio_range)
        height = min(info.height, max(round(info.width / lowest), 1))
        width = min(info.width, max(round(info.height * highest), 1))
        return _middle(height, width, info.height, info.width)

    def _placed(self, random: np.random.Generator, height: int, width: int, info: ImageInfo) -> Region:
        if self.central:
            return _middle(height, width, info.height, info.width)
        top = int(random.integers(0, info.height - height + 1))
        left = int(random.integers(0, info.width - width + 1))
        return Region(top, left, top + height, left + width)


@dataclass(frozen=True)
class RandomCrop:
    """Cuts out a part of fixed size at a drawn place. The image's size changes, so this is for ``Compose`` only.

    An image that is smaller than the part gets a border of the same width on both sides. It reads ``random_crop``:
    ``[top, left]`` as fractions of the image's height and width, negative ones lie in the padding. Its own draw is used
    where the RNG gives none.

    Args:
        size: height and width of the result, in pixels.
        padding: top, bottom, left and right margins that are added before, in pixels; one number counts for all.
        mode: what the padding shows, as in :class:`~leaven_plugins.ops.pad.Pad`.
        background: what a constant padding shows, one value or one for each channel.

    Raises:
        ParameterError: the size is not positive, a margin is negative, or there is no such mode.
    """

    name: ClassVar = "random_crop"
    keys: ClassVar[tuple[str, ...]] = ("random_crop",)
    geometric: ClassVar = True
    keeps_size: ClassVar = False
    example: ClassVar[Mapping[str, Any]] = {"size": (64, 96)}

    size: Sequence[int]
    padding: int | Sequence[int] = 0
    mode: str = "constant"
    background: Background = 0

    def __post_init__(self) -> None:
        checked_size("size", self.size)
        checked_margins("padding", self.padding)
        checked_mode("mode", self.mode)

    def draw(self, random: np.random.Generator, info: ImageInfo) -> dict[str, Any]:
        """Return the corner of a part of an image like ``info``."""
        top, bottom, left, right = checked_margins("padding", self.padding)
        down = _start(random, -top, info.height + bottom, self.size[0])
        along = _start(random, -left, info.width + right, self.size[1])
        return {"random_crop": [down / info.height, along / info.width]}

    def applies(self, values: Mapping[str, Any]) -> bool:
        """Return whether there is a part."""
        return bool(values.get("random_crop"))

    def apply(self, image: Image, values: Mapping[str, Any], random: np.random.Generator) -> Image:
        """Return the part, ``(*size, channels)``; ``random`` is not used.

        Raises:
            ImageError: the number of values in ``background`` does not fit the image.
        """
        image = prepared(image)
        down, along = values["random_crop"]
        top, left = round(down * image.shape[0]), round(along * image.shape[1])
        region = Region(top, left, top + self.size[0], left + self.size[1])
        return cut(image, region, self.background, self.mode)

    def scaled(self, factor: float) -> RandomCrop:
        """Return the op for images ``factor`` times as large."""
        margins = [round(margin * factor) for margin in checked_margins("padding", self.padding)]
        return replace(self, size=scaled_size(self.size, factor), padding=margins)


@dataclass(frozen=True)
class CenterCrop(FixedOp):
    """Cuts out the middle. The image's size changes, so this is for ``Compose`` and not for workers.

    An image that is smaller than the part gets a border of the same width on both sides. Nothing is drawn: it is done
    to every image.

    Args:
        size: height and width of the result, in pixels.
        background: value of the border, one or one for each channel.

    Raises:
        ParameterError: the size is not positive.
    """

    name: ClassVar = "center_crop"
    geometric: ClassVar = True
    keeps_size: ClassVar = False
    example: ClassVar[Mapping[str, Any]] = {"size": (64, 96)}

    size: Sequence[int]
    background: Background = 0

    def __post_init__(self) -> None:
        checked_size("size", self.size)

    def apply(self, image: Image, values: Mapping[str, Any], random: np.random.Generator) -> Image:
        """Return the middle, ``(*size, channels)``.

        Raises:
            ImageError: the number of values in ``background`` does not fit the image.
        """
        image = prepared(image)
        return cut(image, _middle(self.size[0], self.size[1], *image.shape[:2]), self.background)

    def scaled(self, factor: float) -> CenterCrop:
        """Return the op for images ``factor`` times as large."""
        return replace(self, size=scaled_size(self.size, factor))


def _start(random: np.random.Generator, low: int, high: int, length: int) -> int:
    """Return where a part begins; one that is longer than what there is lies around its middle."""
    room = high - low - length
    return low - (-room) // 2 if room < 0 else low + int(random.integers(0, room + 1))


def _middle(height: int, width: int, of_height: int, of_width: int) -> Region:
    top = _centred(of_height, height)
    left = _centred(of_width, width)
    return Region(top, left, top + height, left + width)


def _centred(length: int, part: int) -> int:
    # of an odd rest, the larger half comes last, within the image and beyond it
    return (length - part) // 2 if part <= length else -((part - length) // 2)
