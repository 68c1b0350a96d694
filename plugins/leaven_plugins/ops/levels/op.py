"""Solarize and Posterize: levels mirrored, or fewer of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from leaven_plugins.ops.depth import by_value, prepared
from leaven_plugins.ops.drawn import NumberOp
from leaven_plugins.ops.ranges import Range

Image = NDArray[Any]


def solarize(image: Image, threshold: float) -> Image:
    """Return an image in which values from ``threshold`` (within 0 and 1 of the dtype's range) on are inverted."""
    return by_value(prepared(image), lambda values: np.where(values >= threshold, 1 - values, values))


def posterize(image: Image, bits: int) -> Image:
    """Return an image of which each value has its first ``bits`` bits alone; floats have so many steps."""
    image = prepared(image)
    if image.dtype.kind == "f":
        steps = np.float32(1 << bits)
        return np.minimum(np.floor(np.clip(image, 0, 1) * steps), steps - 1) / steps
    unused = max(np.iinfo(image.dtype).bits - bits, 0)
    mask = np.array(-1 << unused, np.int64).astype(image.dtype)
    kept: Image = image & mask
    return kept


@dataclass(frozen=True)
class Solarize(NumberOp):
    """Inverts what is bright, as film does that has seen too much light.

    It reads ``solarize``: values from this threshold on are inverted; 0 inverts all, 1 only white. Its own draw is used
    where the RNG gives none.

    Args:
        solarize_range: of the threshold, within 0 and 1 of the dtype's range.
        prob: how often there is one.

    Raises:
        ParameterError: the range is not two numbers within 0 and 1, or ``prob`` not within 0 and 1.
    """

    name: ClassVar = "solarize"
    keys: ClassVar[tuple[str, ...]] = ("solarize",)
    lowest: ClassVar = 0
    highest: ClassVar = 1
    example: ClassVar[Mapping[str, Any]] = {"solarize_range": (0.2, 0.9)}

    solarize_range: Range | None = None
    prob: float = 1.0

    def apply(self, image: Image, values: Mapping[str, Any], random: np.random.Generator) -> Image:
        """Return the solarized image; ``random`` is not used."""
        return solarize(image, self.value(values))


@dataclass(frozen=True)
class Posterize(NumberOp):
    """Keeps the first bits of each value.

    It reads ``posterize``: how many bits stay, an integer; of 8 bits, 8 is as it was, 1 is two levels. Floats get as
    many steps as so many bits have. Its own draw is used where the RNG gives none.

    Args:
        posterize_range: of the number of bits; both ends are drawn.
        prob: how often there is one.

    Raises:
        ParameterError: the range is not two numbers within 1 and 16, or ``prob`` not within 0 and 1.
    """

    name: ClassVar = "posterize"
    keys: ClassVar[tuple[str, ...]] = ("posterize",)
    lowest: ClassVar = 1
    highest: ClassVar = 16
    whole: ClassVar = True
    example: ClassVar[Mapping[str, Any]] = {"posterize_range": (1, 5)}

    posterize_range: Range | None = None
    prob: float = 1.0

    def apply(self, image: Image, values: Mapping[str, Any], random: np.random.Generator) -> Image:
        """Return the image of fewer levels; ``random`` is not used."""
        return posterize(image, self.value(values))
